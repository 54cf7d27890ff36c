/** The GP system and the hospital that speak MLLP, met with raw bytes on a socket and with each other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultError } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { morrisNel } from '../../engine/simulator/hospital-messages.ts';
import { buildQbp, buildQry, usualAsker } from '../../engine/simulator/hospital-queries.ts';
import type { HospitalAsker, QueryOptions } from '../../engine/simulator/hospital-queries.ts';
import { createHospital, examples } from '../../engine/simulator/hospital.ts';
import type { Hospital } from '../../engine/simulator/hospital.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import type { MllpGp } from '../../engine/simulator/mllp-gp.ts';
import { loadHl7Records } from '../../engine/simulator/mllp-records.ts';
import { patients } from './caller.ts';

const bram = '9990000220';

/** Write bytes to a port and gather what comes until the peer closes or `until` appears. */
async function exchange(port: number, bytes: Buffer, until?: string): Promise<Buffer> {
  const socket = net.connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (until !== undefined && Buffer.concat(chunks).includes(until)) socket.end();
  });
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

const framed = (payload: Buffer) =>
  Buffer.concat([Buffer.of(0x0b), payload, Buffer.of(0x1c, 0x0d)]);

describe('simulator: MLLP GP system', () => {
  let gp: MllpGp;
  let hospital: Hospital;
  before(async () => {
    gp = await startMllpGp({ patients });
    hospital = createHospital({ host: '127.0.0.1', port: gp.port, answerMs: 2000 });
  });
  after(async () => {
    hospital.close();
    await gp.close();
  });
  afterEach(() => gp.set(bram, undefined));

  let number = 0;
  const query = (change: Partial<QueryOptions> = {}) =>
    buildQbp({ controlId: `T${++number}`, nhsNumber: bram, asker: usualAsker, ...change });
  const ask = async (bytes: Buffer) => parseMessage(await hospital.send(bytes));

  it('answers QBP^Q11 with RSP^K11: echoed query, patient, data sets', async () => {
    const { bytes, controlId } = query({ tag: 'TAG1' });
    const answer = await ask(bytes);
    assert.equal(answer.raw('MSH-9'), 'RSP^K11^RSP_K11');
    assert.deepEqual([answer.get('MSA-1'), answer.get('MSA-2')], ['AA', controlId]);
    assert.deepEqual([answer.get('QAK-1'), answer.get('QAK-2')], ['TAG1', 'OK']);
    assert.equal(answer.raw('QPD'), parseMessage(bytes).raw('QPD'));
    assert.equal(answer.get('PID-3'), bram);
    assert.equal(answer.get('PD1-3.3'), 'Z99907');
    assert.equal(answer.get('AL1-3.5'), 'H/O: warfarin allergy');
    assert.equal(answer.get('RXO-7.2'), 'Two in the morning & one at noon');
    assert.equal(answer.get('RXO[2]-7.2'), '1', 'a dose of "1" stays text');
    assert.deepEqual([answer.count('PRB'), answer.count('DG1'), answer.count('PV1')], [2, 0, 0]);
  });

  it('answers QRY^A19 with ADR^A19 in the order of its structure', async () => {
    const { bytes } = buildQry({ controlId: 'A19', nhsNumber: bram, asker: usualAsker });
    const answer = await ask(bytes);
    assert.equal(answer.raw('MSH-9'), 'ADR^A19^ADR_A19');
    const names = [...new Set(answer.segmentNames())];
    assert.deepEqual(names, ['MSH', 'MSA', 'QAK', 'QRD', 'PID', 'PD1', 'PV1', 'OBX', 'AL1', 'DG1']);
  });

  it('writes names beyond ASCII in the character set asked in', async () => {
    const answer = await ask(query({ nhsNumber: '9990000239' }).bytes);
    assert.equal(answer.get('PID-5'), 'Żuraw');
    assert.equal(answer.get('MSH-18'), 'UNICODE UTF-8');
  });

  it('says NF of a patient it does not know, and no more', async () => {
    for (const build of [buildQbp, buildQry]) {
      const message = build({ controlId: 'NF1', nhsNumber: '9111231130', asker: usualAsker });
      const answer = await ask(message.bytes);
      assert.deepEqual([answer.get('MSA-1'), answer.get('QAK-2')], ['AA', 'NF']);
      assert.deepEqual([answer.count('PID'), answer.count('ERR')], [0, 0]);
    }
  });

  it('refuses malformed queries with AE, foreign ones with AR, and says where', async () => {
    const text = (change: (message: string) => string, build = query) =>
      Buffer.from(change(build().bytes.toString()));
    const without = (part: keyof HospitalAsker) =>
      query({ asker: { ...usualAsker, [part]: undefined } }).bytes;
    const old = () => buildQry({ controlId: 'A', nhsNumber: bram, asker: usualAsker });
    const cases: [Buffer, string, string, RegExp][] = [
      [without('user'), 'AE', '101', /^QPD\^1\^7/],
      [without('roleProfile'), 'AE', '101', /^QPD\^1\^8/],
      [without('organisation'), 'AE', '101', /^QPD\^1\^9/],
      [without('consent'), 'AE', '101', /^QPD\^1\^10/],
      [text((m) => m.replace(/ZAU[^\r]*\r/, ''), old), 'AE', '101', /^ZAU\^1/],
      [text((m) => m.replace('|R|I|', '||I|'), old), 'AE', '101', /^QRD\^1\^2/],
      [text((m) => m.replace(/QPD[^\r]*\r/, '')), 'AE', '100', /^QPD\^1/],
      [text((m) => m.replace(/RCP[^\r]*\r/, '')), 'AE', '100', /^RCP\^1/],
      [text((m) => m.replace('^^^NHS^NH', '')), 'AE', '101', /^QPD\^1\^3/],
      [query({ nhsNumber: '9990000221' }).bytes, 'AE', '102', /^QPD\^1\^3/],
      [text((m) => m.replaceAll('~', '#')), 'AE', '102', /^MSH\^1\^2/],
      [text((m) => m.replace('QBP^Q11^QBP_Q11', 'ADT^A01^ADT_A01')), 'AR', '200', /^MSH\^1\^9/],
      [text((m) => m.replace('QBP^Q11', 'QBP^Q21')), 'AR', '201', /^MSH\^1\^9/],
      [text((m) => m.replace('|P|2.4', '|P|2.3')), 'AR', '203', /^MSH\^1\^12/],
    ];
    for (const [bytes, code, error, place] of cases) {
      const answer = await ask(bytes);
      assert.equal(answer.get('MSA-1'), code, bytes.toString());
      assert.equal(answer.get('ERR-1.4.1'), error);
      assert.match(answer.raw('ERR-1')?.replaceAll('#', '~') ?? '', place);
    }
  });

  it('answers two queries in one chunk, in order', async () => {
    const two = [query({ tag: 'ONE' }), query({ tag: 'TWO' })].map(({ bytes }) => framed(bytes));
    const came = (await exchange(gp.port, Buffer.concat(two), '|TWO|')).toString();
    assert.ok(came.indexOf('|ONE|') > 0 && came.indexOf('|ONE|') < came.indexOf('|TWO|'));
  });

  describe('scenarios', () => {
    const fault = (name: string) => (error: unknown) =>
      error instanceof FaultError && error.fault.name === name;

    it('no answer, or one that is cut, unframed, late or a reset', async () => {
      const impatient = createHospital({ host: '127.0.0.1', port: gp.port, answerMs: 80 });
      try {
        gp.set(bram, 'hang');
        await assert.rejects(impatient.send(query().bytes), fault('gpTimeout'));
        gp.set(bram, { name: 'slow', ms: 1000 });
        await assert.rejects(impatient.send(query().bytes), fault('gpTimeout'));
      } finally {
        impatient.close();
      }
      gp.set(bram, 'reset');
      await assert.rejects(hospital.send(query().bytes), fault('gpTimeout'));
      gp.set(bram, 'cutShort');
      const cut = await exchange(gp.port, framed(query().bytes));
      assert.ok(cut.length > 0 && cut[0] === 0x0b && !cut.includes(0x1c));
      gp.set(bram, 'unframed');
      const bare = await exchange(gp.port, framed(query().bytes), 'PRB|');
      assert.ok(bare.toString().startsWith('MSH|'));
      gp.set(bram, { name: 'slow', ms: 30 });
      assert.equal((await ask(query().bytes)).get('MSA-1'), 'AA');
    });

    it('an answer to another question, about another patient, or none that can be read', async () => {
      gp.set(bram, 'otherControlId');
      const impatient = createHospital({ host: '127.0.0.1', port: gp.port, answerMs: 80 });
      await assert.rejects(impatient.send(query().bytes), FaultError);
      impatient.close();
      gp.set(bram, 'otherPatient');
      assert.notEqual((await ask(query().bytes)).get('PID-3'), bram);
      gp.set(bram, 'notHl7');
      const raw = await exchange(gp.port, framed(query().bytes), 'prepared');
      assert.ok(raw.toString().includes('The record is being prepared'));
      gp.set(bram, { name: 'busy', first: 1 });
      assert.equal((await ask(query().bytes)).get('MSA-1'), 'AR');
      assert.equal((await ask(query().bytes)).get('MSA-1'), 'AA');
    });
  });

  it('will not start on a record that is no HL7', () => {
    const folder = mkdtempSync(join(tmpdir(), 'records-'));
    mkdirSync(join(folder, 'mllp'));
    writeFileSync(join(folder, 'mllp', '9990000220.hl7'), 'PID|1\nnot a segment\n');
    assert.throws(() => loadHl7Records(join(folder, 'mllp')), /9990000220\.hl7: a line is no HL7/);
    rmSync(folder, { recursive: true });
  });
});

describe('simulator: hospital', () => {
  it('runs a load and counts every answer', async () => {
    const gp = await startMllpGp({ patients });
    const hospital = createHospital({ host: '127.0.0.1', port: gp.port });
    try {
      const message = (number: number) =>
        buildQbp({
          controlId: `L${number}`,
          nhsNumber: number % 2 ? bram : '9990000221',
          asker: usualAsker,
        });
      const figures = await hospital.run({ count: 40, connections: 4, message });
      assert.deepEqual(figures.answers, { AE: 20, AA: 20 });
      assert.equal(figures.failed, 0);
      assert.ok(figures.latency.p50 > 0 && figures.latency.p50 <= figures.latency.max);
      const paced = await hospital.run({ count: 10, rate: 200, message });
      assert.ok(paced.seconds >= 0.04, 'the tenth is due after 45 ms');
      await gp.close();
      const lost = await hospital.run({ count: 3, message });
      assert.deepEqual([lost.failed, lost.answers], [3, {}]);
    } finally {
      hospital.close();
    }
  });

  it('shows questions that are each answered as they say', async () => {
    const gp = await startMllpGp({ patients });
    const hospital = createHospital({ host: '127.0.0.1', port: gp.port });
    try {
      for (const { name, message, says } of examples({ ...morrisNel, nhsNumber: bram }, 'E')) {
        const answer = parseMessage(await hospital.send(message.bytes));
        assert.equal(answer.get('MSA-2'), message.controlId);
        if (name === 'nobody' || name === 'wrong-number') {
          assert.match(says, new RegExp(`AE ${answer.get('ERR-1.4.1')}`));
        }
      }
    } finally {
      hospital.close();
      await gp.close();
    }
  });
});
