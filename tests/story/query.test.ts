import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { faults } from '../../engine/faults.ts';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { matchStructure } from '../../engine/hl7/structure.ts';
import { type World, ask, framed, qbp, rawPeer, root, segments, startWorld } from '../world.ts';

const nel = '9465701459';

/** Every answer to a query fits the structure the profile declares. */
function fits(answer: Message): void {
  const id = answer.get('MSH-9.3') as keyof typeof profileStructures;
  assert.deepEqual(matchStructure(profileStructures[id], answer.segmentNames()), []);
}

describe('a query, in raw bytes', () => {
  let world: World;
  let port: number;
  before(async () => {
    world = await startWorld();
    port = world.engine.ports['gp-record'] ?? 0;
  });
  after(() => world.close());

  it('is answered with the record of the patient asked for', async () => {
    const answer = await ask(port, qbp(nel, { 'MSH-10': 'STORY1' }));
    assert.equal(answer.raw('MSH-9'), 'RSP^K11^RSP_K11');
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.equal(answer.get('MSA-2'), 'STORY1');
    assert.equal(answer.get('QAK-1'), 'Q1');
    assert.equal(answer.get('QAK-2'), 'OK');
    assert.equal(answer.get('PID-3.1'), nel);
    assert.match(
      segments(answer, 'AL1').join('\n'),
      /294881007\^Warfarin allergy\^SCT\^14LP\.00\^H\/O: warfarin allergy\^RC/,
    );
    const datasets = segments(answer, 'OBX').filter((obx) => obx.includes('GPREC.STATUS'));
    assert.deepEqual(
      datasets.map((obx) => obx.split('|')[4]),
      ['ALL', 'ALL.ENDED', 'MED', 'PRB'],
    );
    fits(answer);
  });

  it('gives the query back as it was sent', async () => {
    const query = qbp(nel, { 'QPD-2': 'T\\F\\1', 'QPD-12': 'A\\S\\E~' });
    const answer = await ask(port, query);
    assert.equal(answer.raw('QPD'), parseMessage(Buffer.from(query)).raw('QPD'));
    assert.equal(answer.raw('QAK-1'), 'T\\F\\1');
  });

  it('QRY^A19 is answered with ADR^A19, which holds no segment it may not hold', async () => {
    const query = readFileSync(join(root, 'fixtures/gp-record/qry-a19.hl7')).toString();
    const answer = await ask(port, query);
    assert.equal(answer.raw('MSH-9'), 'ADR^A19^ADR_A19');
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.ok(answer.count('AL1') > 0);
    fits(answer);
  });

  it('answers in order on one connection when the peer pipelines', async () => {
    const peer = await rawPeer(port);
    const ids = ['P1', 'P2', 'P3', 'P4'].map((id) => `${id}-${Date.now()}`);
    peer.write(ids.map((id) => framed(qbp(nel, { 'MSH-10': id }))).join(''));
    const got: (string | undefined)[] = [];
    while (got.length < ids.length) got.push(parseMessage(await peer.next()).get('MSA-2'));
    peer.socket.destroy();
    assert.deepEqual(got, ids);
  });

  it('a sender that closes its side after the query (as nc does) is still answered', async () => {
    const peer = await rawPeer(port);
    peer.write(framed(qbp(nel)));
    peer.end();
    assert.equal(parseMessage(await peer.next()).get('MSA-1'), 'AA');
    peer.socket.destroy();
  });

  it('uses the delimiters of the sender', async () => {
    const query = qbp(nel).replaceAll('|', '#').replaceAll('^', '@').replace('@~\\&', '@~\\&');
    const answer = await ask(port, query);
    assert.equal(answer.delimiters.field, '#');
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.equal(answer.get('PID-5.1'), 'Nel');
  });

  describe('is refused, and nobody is asked', () => {
    const cases: [string, Record<string, string>, string, string | null, string][] = [
      [
        'the NHS number fails its check digit',
        { 'QPD-3': '9465701458^^^NHS^NH' },
        'AE',
        'AE',
        '102',
      ],
      ['the identifier is no NHS number', { 'QPD-3': '9465701459^^^R0A^MR' }, 'AE', 'AE', '101'],
      ['there is no user', { 'QPD-7': '' }, 'AE', 'AE', '101'],
      ['there is no role profile', { 'QPD-8': '' }, 'AE', 'AE', '101'],
      ['there is no organisation', { 'QPD-9': '' }, 'AE', 'AE', '101'],
      ['there is no consent', { 'QPD-10': '' }, 'AE', 'AE', '101'],
      ['consent is no known value', { 'QPD-10': 'Y' }, 'AE', 'AE', '103'],
      ['consent is refused', { 'QPD-10': 'R' }, 'AE', 'AE', '207'],
      ['an emergency has no reason', { 'QPD-10': 'E' }, 'AE', 'AE', '101'],
      ['the organisation is not registered', { 'QPD-9': 'Other^^RXX' }, 'AE', 'AE', '207'],
      ['a dataset is unknown', { 'QPD-4': 'ALL~XYZ' }, 'AE', 'AE', '103'],
      ['the query is no GPREC', { 'QPD-1': 'OTHER^Other^L' }, 'AE', 'AE', '103'],
      ['a date is none', { 'QPD-5': '20261399' }, 'AE', 'AE', '102'],
      ['the query has no tag', { 'QPD-2': '' }, 'AE', 'AE', '101'],
      ['the sender is not known', { 'MSH-3': 'SOMEONE' }, 'AE', null, '207'],
      ['the type is not accepted', { 'MSH-9': 'ORU^R01^ORU_R01' }, 'AR', null, '200'],
      ['the event is not accepted', { 'MSH-9': 'QBP^Q22^QBP_Q21' }, 'AR', null, '201'],
      ['the processing id is not accepted', { 'MSH-11': 'T' }, 'AR', null, '202'],
      ['the version is not accepted', { 'MSH-12': '2.2' }, 'AR', null, '203'],
    ];
    for (const [why, change, msa, qak, err] of cases) {
      it(why, async () => {
        const before = world.gp.asked.length;
        const query = qbp(nel, change);
        const answer = await ask(port, query);
        assert.equal(answer.get('MSA-1'), msa);
        assert.equal(answer.get('MSA-2'), parseMessage(Buffer.from(query)).get('MSH-10'));
        assert.equal(answer.get('QAK-2') ?? null, qak);
        assert.ok((answer.raw('ERR-1') ?? '').includes(`^${err}&`), answer.raw('ERR'));
        assert.equal(answer.count('PID'), 0);
        assert.equal(world.gp.asked.length, before);
        if (qak) fits(answer);
      });
    }

    it('tells everything that is wrong at once', async () => {
      const answer = await ask(port, qbp(nel, { 'QPD-2': '', 'QPD-8': '', 'QPD-4': 'XYZ' }));
      assert.equal(answer.repetitions('ERR-1'), 3);
    });

    it('the ERR of 2.5.1 names the place and the severity', async () => {
      const answer = await ask(port, qbp(nel, { 'MSH-12': '2.5.1', 'QPD-8': '' }));
      assert.equal(answer.raw('ERR-2'), 'QPD^1^8');
      assert.equal(answer.get('ERR-3'), '101');
      assert.equal(answer.get('ERR-4'), 'E');
    });
  });

  describe('what the GP side says becomes', () => {
    const outcomes: [string, string, string, string, string | null][] = [
      ['PATIENT_NOT_FOUND', 'AA', 'NF', 'patientNotFound', null],
      ['notFound', 'AA', 'NF', 'patientNotFound', null],
      ['restricted', 'AA', 'NF', 'patientRestricted', null],
      ['noPractice', 'AA', 'NF', 'practiceUnknown', null],
      ['expiredPractice', 'AA', 'NF', 'practiceUnknown', null],
      ['noEndpoint', 'AE', 'AE', 'practiceNotEnabled', '207'],
      ['NO_PATIENT_CONSENT', 'AE', 'AE', 'gpNoPatientConsent', '207'],
      ['NO_ORGANISATION_CONSENT', 'AE', 'AE', 'gpNoOrganisationConsent', '207'],
      ['ACCESS DENIED', 'AE', 'AE', 'gpAccessDenied', '207'],
      ['NO_RELATIONSHIP', 'AE', 'AE', 'gpNoRelationship', '207'],
      ['senderNotRegistered', 'AE', 'AE', 'spineRefused', '207'],
      ['otherPatient', 'AE', 'AE', 'wrongPatient', '207'],
      ['BAD_REQUEST', 'AE', 'AE', 'gpRejectedRequest', '207'],
    ];
    for (const [scenario, msa, qak, fault, err] of outcomes) {
      it(`${scenario} → MSA ${msa}, QAK ${qak}`, async () => {
        world.gp.set(nel, scenario as never);
        try {
          const answer = await ask(port, qbp(nel));
          assert.equal(answer.get('MSA-1'), msa);
          assert.equal(answer.get('QAK-2'), qak);
          assert.equal(answer.count('ERR'), err ? 1 : 0);
          assert.equal(answer.count('PID'), 0);
          const [last] = await world.engine.journal.list({ limit: 1 });
          assert.equal(last?.fault, faults[fault as keyof typeof faults].code);
          fits(answer);
        } finally {
          world.gp.set(nel, undefined);
        }
      });
    }

    it('a restricted patient looks exactly like an unknown one, and is never asked for', async () => {
      const bare = (answer: Message) =>
        answer
          .toBytes()
          .toString()
          .replace(/^MSH.*\r/, '');
      const change = { 'MSH-10': 'SAME' };
      world.gp.set(nel, 'notFound');
      const unknown = await ask(port, qbp(nel, { ...change, 'MSH-7': '20260101' }));
      world.gp.set(nel, 'restricted');
      const before = world.gp.asked.length;
      const restricted = await ask(port, qbp(nel, { ...change, 'MSH-7': '20260102' }));
      world.gp.set(nel, undefined);
      assert.equal(bare(restricted), bare(unknown));
      assert.deepEqual(
        world.gp.asked.slice(before).map(({ system }) => system),
        ['pds'],
      );
    });

    it('a mismatch of demographics is told at the top of the answer', async () => {
      world.gp.set(nel, 'otherName');
      const answer = await ask(port, qbp(nel));
      world.gp.set(nel, undefined);
      const notes = segments(answer, 'NTE').join('\n');
      assert.match(notes, /CAUTION: the family name differs between PDS and the GP record/);
      assert.match(notes, /CAUTION: the date of birth differs/);
      fits(answer);
    });

    it('a superseded NHS number is told, and the current one asked for', async () => {
      world.gp.set(nel, 'superseded');
      const answer = await ask(port, qbp(nel));
      world.gp.set(nel, undefined);
      const text = answer.toBytes().toString();
      assert.ok(/superseded/.test(text) || answer.get('QAK-2') !== 'OK', text);
    });

    it('a practice whose system speaks HL7 v2 is asked in HL7, and its answer passed on', async () => {
      const patient = '9990000220';
      const answer = await ask(port, qbp(patient, { 'MSH-10': 'PASS1' }));
      assert.equal(answer.get('MSA-1'), 'AA');
      assert.equal(answer.get('MSA-2'), 'PASS1');
      assert.equal(answer.get('MSH-3'), 'GPREC');
      assert.equal(answer.get('PID-3.1'), patient);
      assert.equal(world.legacy.asked.length > 0, true);
    });
  });

  it('a stranger with nc gets the same answer', async function () {
    const nc = ['/bin/nc', '/usr/bin/nc'].find((path) => existsSync(path));
    if (!nc) {
      console.log('      skipped: there is no nc on this machine');
      return this.skip();
    }
    const child = spawn(nc, ['-N', '127.0.0.1', String(port)], { timeout: 8000 });
    child.stdin.end(framed(qbp(nel)));
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    // It ends by itself: who has closed his side and got his answer is hung up on.
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 0);
    assert.match(out, /^\x0bMSH.*MSA\|AA/s);
  });
});
