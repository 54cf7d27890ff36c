/** The simulators refuse what the real systems refuse, in the same code: one row a rule. */
import assert from 'node:assert/strict';
import type { GpSimulator } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';
import { application } from './conformance/application.ts';
import { parts } from './conformance/parts.ts';

describe('simulator: conformance', () => {
  let sim: GpSimulator;
  before(async () => {
    const credentials = { applications: [application()], sdsApiKey: 'key' };
    sim = await caller.start({ credentials });
  });
  after(() => sim.close());

  for (const { title, system, rows } of parts) {
    describe(title, () => {
      for (const { sent, ask, status, code, says } of rows) {
        it(`${sent}: ${status} ${code}`, async () => {
          const reply = await ask(sim);
          assert.equal(reply.status, status, reply.text.slice(0, 300));
          assert.ok(!reply.text.includes(caller.nel) || status === 200, 'no NHS number in errors');
          if (code === '') return;
          const issue = caller.issueOf(reply);
          assert.equal(issue.code || caller.at(reply.json, 'error'), code);
          if (system) assert.equal(issue.system, system);
          const text = issue.why || issue.display || caller.at(reply.json, 'error_description');
          assert.ok(text, 'the reason is said');
          if (says) assert.match(String(text), says);
        });
      }
    });
  }

  it('has a row for each rule once', () => {
    const all = parts.flatMap(({ title, rows }) => rows.map(({ sent }) => `${title}: ${sent}`));
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.length > 150);
  });
});
