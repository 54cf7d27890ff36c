/** Every way to ask, in raw bytes on a socket, and the rest of an answer in parts. */
import assert from 'node:assert/strict';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { matchStructure } from '../../engine/hl7/structure.ts';
import { queryKinds } from '../../engine/query/kinds.ts';
import { createHospital } from '../../engine/simulator/hospital.ts';
import {
  type QueryOptions,
  buildQbp,
  nextPart,
  queryBuilders,
  usualAsker,
} from '../../engine/simulator/hospital-queries.ts';
import { type World, ask, segments, startWorld } from '../world.ts';

const nel = '9465701459';
const nobody = '9990000107';
const off = ['RQC^I05', 'QRY^R02', 'VXQ^V01'];

let serial = 0;
const query = (type: string, change: Partial<QueryOptions> = {}) => {
  const controlId = `S${Date.now()}${++serial}`;
  const built = queryBuilders[type]?.({ controlId, nhsNumber: nel, asker: usualAsker, ...change });
  assert.ok(built, type);
  return built;
};

describe('every way to ask', () => {
  let world: World;
  let port: number;
  before(async () => {
    world = await startWorld(({ channels }) => {
      const channel = channels.find((one) => one.channel.channel === 'gp-record')?.channel;
      channel?.accepts.push(...off);
    });
    port = world.engine.ports['gp-record'] ?? 0;
  });
  after(() => world.close());

  const send = (type: string, change: Partial<QueryOptions> = {}) =>
    ask(port, query(type, change).bytes.toString());

  for (const kind of queryKinds) {
    const { type, answer, since, offers } = kind;
    const structure = profileStructures[answer.structure as keyof typeof profileStructures];
    const fits = (message: Message) =>
      assert.deepEqual(matchStructure(structure, message.segmentNames()), [], type);
    const datasets = offers.filter((one) => ['PAT', 'ALL', 'IMM'].includes(one)).slice(-2);

    it(`${type} is answered with ${answer.code}^${answer.event} about the patient`, async () => {
      for (const version of since === '2.3' ? ['2.3', '2.4', '2.5.1'] : ['2.4', '2.5.1']) {
        const message = await send(type, { version, datasets });
        const third = version === '2.3' ? '' : `^${answer.structure}`;
        assert.equal(message.raw('MSH-9'), `${answer.code}^${answer.event}${third}`);
        assert.equal(message.get('MSH-12'), version);
        assert.equal(message.get('MSA-1'), 'AA');
        assert.equal(message.get('PID-3.1'), nel);
        fits(message);
      }
    });

    it(`${type}: no record and refusals have the structure of the answer`, async () => {
      const notFound = await send(type, { nhsNumber: nobody, datasets });
      assert.deepEqual([notFound.get('MSA-1'), notFound.count('PID')], ['AA', 0]);
      assert.match(notFound.toBytes().toString(), /No GP record available for this NHS number/);
      fits(notFound);
      const wrong = await send(type, { nhsNumber: '9465701458', datasets });
      assert.deepEqual([wrong.get('MSA-1'), wrong.count('PID')], ['AE', 0]);
      assert.match(wrong.toBytes().toString(), /\b102[&^]Data type error/);
      fits(wrong);
    });

    it(`${type} without who asks is refused, and nobody is asked`, async () => {
      const asked = world.gp.asked.length;
      for (const part of ['user', 'roleProfile', 'organisation', 'consent'] as const) {
        const message = await send(type, { asker: { ...usualAsker, [part]: undefined } });
        assert.equal(message.get('MSA-1'), 'AE');
        assert.match(message.toBytes().toString(), /\b101[&^]Required field missing/);
        fits(message);
      }
      assert.equal(world.gp.asked.length, asked);
    });
  }

  it('datasets have our codes or those of table 0048, and nothing else is one', async () => {
    const asked = async (...datasets: string[]) => send('QRY^A19', { datasets });
    const results = await asked('RES', 'VXI');
    const lines = segments(results, 'OBX').filter((one) => one.includes('GPREC.STATUS'));
    assert.deepEqual(
      lines.map((one) => one.split('|')[4]),
      ['IMM', 'OBS', 'INV'],
    );
    for (const code of ['NONE', 'constructor', 'toString']) {
      assert.equal((await asked(code)).get('ERR-1.4.1'), '103', code);
    }
    const partly = await send('QRY^R02', { datasets: ['ALL', 'NONE'] });
    assert.equal(partly.get('MSA-1'), 'AE');
  });

  it('a QRY^A19 that wants one record (QRD-7) gets all of its items', async () => {
    const answer = await send('QRY^A19', { datasets: ['ALL', 'PRB'] });
    assert.equal(answer.get('QRD-7'), '1');
    assert.equal(answer.get('QAK-6'), '0');
    assert.ok(answer.count('AL1') > 1 && answer.count('DSC') === 0);
  });
});

describe('an answer in parts, in raw bytes', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());
  const port = () => world.engine.ports['gp-record'] ?? 0;
  const first = (change: Partial<QueryOptions> = {}) =>
    query('QBP^Q11', { quantity: 2, datasets: ['ALL', 'PRB'], ...change });

  it('is the whole answer, in as many messages, and the GP system is asked once', async () => {
    const whole = await ask(port(), first({ quantity: undefined }).bytes.toString());
    const hospital = createHospital({ host: '127.0.0.1', port: port() });
    const asked = world.gp.asked.length;
    const parts = (await hospital.sendAll(first())).map((bytes) => parseMessage(bytes));
    hospital.close();
    const all = Number(whole.get('QAK-4'));
    assert.ok(all > 4);
    assert.equal(parts.length, Math.ceil(all / 2));
    assert.equal(world.gp.asked.length - asked, 4, 'PDS, SDS twice, GP Connect');
    for (const name of ['AL1', 'IAM', 'PRB']) {
      const items = parts.flatMap((part) => segments(part, name));
      assert.deepEqual(items, segments(whole, name), name);
    }
    for (const [at, part] of parts.entries()) {
      const left = Math.max(0, all - 2 * (at + 1));
      assert.deepEqual([part.get('QAK-4'), part.get('QAK-6')], [String(all), String(left)]);
      assert.equal(part.get('DSC-2'), left > 0 ? 'I' : undefined);
      assert.equal(part.raw('PID'), whole.raw('PID'));
      const lines = segments(part, 'OBX').filter((one) => one.includes('GPREC.STATUS'));
      assert.equal(lines.length, 3);
      assert.deepEqual(matchStructure(profileStructures.RSP_K11, part.segmentNames()), []);
    }
  });

  it('the same message again gets the same part; the same pointer with a new MSH-10, too', async () => {
    const { bytes } = first();
    const one = await ask(port(), bytes.toString());
    const next = nextPart(bytes, one.toBytes(), 'AGAIN1');
    const again = nextPart(bytes, one.toBytes(), 'AGAIN2');
    assert.ok(next && again);
    const second = await ask(port(), next.bytes.toString());
    const repeated = await ask(port(), next.bytes.toString());
    assert.deepEqual(repeated.toBytes(), second.toBytes());
    const other = await ask(port(), again.bytes.toString());
    assert.equal(other.get('MSA-2'), 'AGAIN2');
    assert.deepEqual(segments(other, 'PRB'), segments(second, 'PRB'));
    assert.equal(other.get('DSC-1'), second.get('DSC-1'));
  });

  it('is given to nobody else: another user, facility, organisation, patient, pointer or delimiters', async () => {
    const { bytes } = first();
    const one = await ask(port(), bytes.toString());
    const next = nextPart(bytes, one.toBytes(), 'X');
    assert.ok(next);
    const others: [string, string][] = [
      ['QPD-7', '10020^Smith^Jo^^^Dr~JSMITH'],
      ['QPD-7', '10019^Smith^Jo^^^Dr~OTHER'],
      ['QPD-3', '9990000026^^^NHS^NH'],
      ['MSH-12', '2.5.1'],
      ['QPD-4', 'ALL~PRB~MED'],
      ['QPD-5', '20200101'],
      ['DSC-1', `${(one.get('DSC-1') ?? '').split('-')[0]}-0`],
      ['DSC-1', `${(one.get('DSC-1') ?? '').split('-')[0]}-99`],
      ['DSC-1', `${one.get('DSC-1')}x`],
    ];
    // What is held may be written already, with the delimiters of the first query.
    const otherwise = parseMessage(Buffer.from(next.bytes.toString().replaceAll('^', '!')));
    const refused = new Set<string>();
    for (const [path, value] of [...others, ['', ''] as const]) {
      const message = path === '' ? otherwise : parseMessage(next.bytes);
      if (path !== '') message.setRaw(path, value);
      message.set('MSH-10', `X${++serial}`);
      const answer = await ask(port(), message.toBytes().toString());
      assert.equal(answer.get('MSA-1'), 'AE', `${path} ${value}`);
      assert.match(answer.raw('ERR') ?? '', /\b204[&^!]Unknown key identifier/);
      assert.equal(answer.count('PID'), 0);
      refused.add(answer.get('MSA-3') ?? '');
    }
    assert.equal(refused.size, 1, 'nothing tells a pointer of someone else from one of nobody');
  });

  it('cannot be continued after a restart, and the answer says to ask again', async () => {
    const { bytes } = first();
    const one = await ask(port(), bytes.toString());
    const next = nextPart(bytes, one.toBytes(), `R${++serial}`);
    assert.ok(next);
    await world.restart();
    const answer = await ask(port(), next.bytes.toString());
    assert.deepEqual([answer.get('MSA-1'), answer.get('ERR-1.4.1')], ['AE', '204']);
    const anew = await ask(port(), buildQbp({ ...usual(), quantity: 2 }).bytes.toString());
    assert.equal(anew.get('QAK-5'), '2');
  });

  it('is given whole where there is no room to hold the rest', async () => {
    const parts = world.site.channels.map(({ channel }) => channel.parts);
    const sizes = parts.map(({ size }) => size);
    for (const part of parts) part.size = 100;
    const answer = await ask(port(), first().bytes.toString());
    for (const [i, part] of parts.entries()) part.size = sizes[i] ?? 0;
    assert.equal(answer.get('QAK-6'), '0');
    assert.equal(answer.get('QAK-5'), answer.get('QAK-4'));
    assert.equal(answer.count('DSC'), 0);
  });

  it('and the older ways to ask are off in a channel that does not name them', async () => {
    for (const { type } of queryKinds) {
      const answer = await ask(port(), query(type, { nhsNumber: nobody }).bytes.toString());
      assert.equal(answer.get('MSA-1'), off.includes(type) ? 'AR' : 'AA', type);
    }
  });

  const usual = () => ({ controlId: `U${++serial}`, nhsNumber: nel, asker: usualAsker });
});
