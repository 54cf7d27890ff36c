/** The Spine proxy and the practice behind it: what a good request is answered with. */
import assert from 'node:assert/strict';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';

describe('simulator: Spine proxy and provider', () => {
  let sim: GpSimulator;
  before(async () => {
    sim = await caller.start();
  });
  after(() => sim.close());

  it('answers a good request with the record, compressed, in chunks, not to be stored', async () => {
    const plain = await caller.ask(sim);
    assert.equal(plain.status, 200);
    assert.equal(caller.at(plain.json, 'type'), 'collection');
    assert.equal(plain.headers['cache-control'], 'no-store');
    assert.equal(plain.headers['content-type'], 'application/fhir+json; charset=utf-8');
    assert.equal(plain.headers['transfer-encoding'], 'chunked');
    assert.equal(plain.headers['content-length'], undefined);
    const small = await caller.ask(sim, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.ok(small.text.length < plain.text.length / 4);
  });

  describe('the provider accepts', () => {
    it('an address with a trailing slash', async () => {
      const slash = await caller.ask(sim, { practice: caller.harbour, nhsNumber: '9990000034' });
      assert.equal(slash.status, 200);
    });

    it('an NHS number alone: the patient and nothing clinical', async () => {
      const reply = await caller.ask(sim, { parameters: [caller.nhsParameter(caller.nel)] });
      assert.equal(caller.resourcesOf(reply, 'Patient').length, 1);
      assert.equal(caller.resourcesOf(reply, 'List').length, 0);
    });

    it('unknown parameters and parts, with a warning for each inside the Bundle', async () => {
      const reply = await caller.ask(sim, {
        parameters: [
          caller.nhsParameter(caller.nel),
          { name: 'includeHoroscope' },
          { name: 'includeProblems', part: [{ name: 'filterSignificance', valueCode: 'major' }] },
        ],
      });
      assert.equal(reply.status, 200);
      const issues = caller.listAt(caller.resourcesOf(reply, 'OperationOutcome')[0], 'issue');
      assert.deepEqual(
        issues.map((issue) =>
          ['severity', 'details.text', 'diagnostics'].map((path) => caller.at(issue, path)),
        ),
        [
          ['warning', 'includeHoroscope is an unrecognised parameter', 'includeHoroscope'],
          [
            'warning',
            'includeProblems.filterSignificance is an unrecognised parameter',
            'includeProblems.filterSignificance',
          ],
        ],
      );
    });
  });
});
