/** Where the simulator takes its patients from, and over what it speaks. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { Agent, request } from 'undici';
import { createGpSide } from '../../engine/simulator/gp.ts';
import * as caller from './caller.ts';

const real = join(caller.root, '../shared/data/gpconnect/structured');

describe('simulator: folders', () => {
  const made: string[] = [];
  const folder = () => {
    const one = mkdtempSync(join(tmpdir(), 'patients-'));
    made.push(one);
    return one;
  };
  after(() => {
    for (const one of made) rmSync(one, { recursive: true });
  });

  it('bare Bundles: facts come from inside, what cannot be used is named', async () => {
    const patients = folder();
    copyFileSync(join(caller.patients, `${caller.nel}.json`), join(patients, 'a.json'));
    copyFileSync(join(caller.patients, `${caller.nel}.json`), join(patients, 'b.json'));
    writeFileSync(join(patients, 'c.json'), '{"resourceType":"Patient"}');
    writeFileSync(join(patients, 'd.json'), '{"resourceType":"Bundle"}');
    const sim = await caller.start({ patients });
    try {
      const practice = sim.world.practices.get('Z99901');
      const address = practice?.address ?? '';
      const reply = await caller.ask(sim, {
        practice: { address, asid: practice?.devices[0] ?? '' },
      });
      assert.equal(reply.status, 200);
      assert.equal(caller.resourcesOf(reply, 'AllergyIntolerance').length, 2);
      assert.deepEqual(sim.world.skipped, [
        { file: 'b.json', why: 'a fuller record is used' },
        { file: 'c.json', why: 'it is not a FHIR Bundle in JSON' },
        { file: 'd.json', why: 'it holds no Patient with an NHS number' },
      ]);
    } finally {
      await sim.close();
    }
  });

  it('a file that has changed is read again, one that has not is not', () => {
    const patients = folder();
    const file = join(patients, 'a.json');
    copyFileSync(join(caller.patients, `${caller.nel}.json`), file);
    const record = () => createGpSide({ patients }).world.records.get(caller.nel);
    const first = record();
    assert.ok(first && record() === first);
    const changed = JSON.parse(readFileSync(file, 'utf8')) as { entry: unknown[] };
    changed.entry.pop();
    writeFileSync(file, JSON.stringify(changed));
    assert.equal(record()?.entry?.length, changed.entry.length);
    assert.equal(first.entry?.length, changed.entry.length + 1);
  });

  it('the published replies, as far as their NHS numbers are valid', async function () {
    if (!existsSync(real)) {
      console.log('      skipped: ../shared/data/gpconnect is not here');
      return this.skip();
    }
    const sim = await caller.start({ patients: real });
    try {
      assert.ok(sim.world.patients.size > 5);
      for (const [nhsNumber, { practices }] of sim.world.patients) {
        const practice = sim.world.practices.get(practices[0]?.ods ?? '');
        const reply = await caller.ask(sim, {
          nhsNumber,
          practice: { address: practice?.address ?? '', asid: practice?.devices[0] ?? '' },
        });
        assert.equal(reply.status, 200, reply.text.slice(0, 300));
        assert.ok(caller.resourcesOf(reply, 'Patient').length > 0);
        const answered = caller.resourcesOf(reply, 'List').length;
        const silences = caller.resourcesOf(reply, 'OperationOutcome').length;
        assert.ok(answered + silences > 0, 'every area is answered or said to be missing');
      }
    } finally {
      await sim.close();
    }
  });

  it('a patients.yaml with a mistake, which is named', async () => {
    const patients = folder();
    const yaml = readFileSync(join(caller.patients, 'patients.yaml'), 'utf8');
    writeFileSync(join(patients, 'patients.yaml'), yaml.replace("'9990000018'", "'9990000019'"));
    await assert.rejects(caller.start({ patients }), /patients\.yaml.*check digit/s);
  });

  it('HTTPS, with the certificate it was given', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
    });
    const sim = await caller.start({ tls: { key, cert } });
    const dispatcher = new Agent({ connect: { ca: cert, servername: 'localhost' } });
    try {
      assert.ok(sim.url.startsWith('https://'));
      const { statusCode, body } = await request(`${sim.url}/_sim/scenarios`, { dispatcher });
      await body.dump();
      assert.equal(statusCode, 200);
      await assert.rejects(request(`${sim.url}/_sim/scenarios`), /certificate/);
    } finally {
      await dispatcher.close();
      await sim.close();
    }
  });
});
