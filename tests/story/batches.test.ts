/** Row 40 and its neighbours: batches and reused control ids in raw bytes, from socket to destination. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel } from '../../engine/channel.ts';
import { loadSite } from '../../engine/config/site.ts';
import { startEngine } from '../../engine/engine.ts';
import { createEvents } from '../../engine/log.ts';
import { splitBatch } from '../../engine/hl7/batch.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { type RawPeer, framed, rawPeer, root } from '../world.ts';
import { type Receiver, acknowledge, startReceiver } from '../outbound/receiver.ts';

/** The example site, without a GP side: results go to an EPR, mapped. */
async function serve(receiver: Receiver, change: (channel: Channel) => void) {
  const folder = join(root, 'docs', 'examples', 'feeds');
  const site = loadSite(folder, { EPR_PORT: String(receiver.port) });
  assert.deepEqual(site.findings, []);
  const channel = site.channels[0]?.channel;
  assert.ok(channel);
  channel.listen.port = 0;
  channel.deliver = channel.deliver.filter(({ to }) => to === 'epr');
  change(channel);
  const data = mkdtempSync(join(tmpdir(), 'gatehouse-batches-'));
  const { emit } = createEvents({ level: 'silent' });
  const engine = await startEngine({ site, data, emit });
  const close = async () => {
    await engine.stop(1000);
    rmSync(data, { recursive: true, force: true });
  };
  return { engine, close };
}

function oru(id: string, sender = 'LAB', patient = '9465701459'): string {
  return [
    `MSH|^~\\&|${sender}|RXX|HUB|RXX|20260604101500||ORU^R01|${id}|P|2.4`,
    `PID|1||${patient}^^^NHS^NH||Nel^Morris`,
    `OBR|1|A1|000${id}^LAB|FBC^Full blood count`,
    '',
  ].join('\r');
}
const batch = (id: string, trailer: string, ...messages: string[]) =>
  `BHS|^~\\&|LAB|RXX|HUB|RXX|20260604101500||||${id}\r${messages.join('')}${trailer}\r`;

describe('batches', () => {
  let world: Awaited<ReturnType<typeof serve>>;
  let receiver: Receiver;
  let peer: RawPeer;
  const start = async (change: (channel: Channel) => void = () => {}) => {
    world = await serve(receiver, change);
    peer = await rawPeer(world.engine.ports['results'] ?? 0);
  };
  const ask = async (text: string) => {
    peer.write(framed(text));
    return peer.next();
  };
  const acks = (response: Buffer): Message[] =>
    splitBatch(response).batches.flatMap(({ messages }) =>
      messages.map((one) => parseMessage(one)),
    );

  beforeEach(async () => {
    receiver = await startReceiver();
    // In enhanced mode: CA, and AA behind it.
    receiver.react = (message) => acknowledge(message, 'CA') + acknowledge(message, 'AA');
  });
  afterEach(async () => {
    peer.socket.destroy();
    await world.close();
    await receiver.close();
  });

  it('row 40: are split, delivered in their order, and answered in one batch', async () => {
    await start();
    const ids = Array.from({ length: 40 }, (_, n) => `L${n}`);
    const response = await ask(batch('B1', `BTS|${ids.length}`, ...ids.map((id) => oru(id))));
    assert.match(response.toString(), /^BHS\|\^~\\&\|HUB\|RXX\|LAB\|RXX\|[^|]+\|\|\|\|[^|]+\|B1\r/);
    const answers = acks(response);
    assert.deepEqual(
      answers.map((one) => one.get('MSA-2')),
      ids,
    );
    assert.ok(answers.every((one) => one.get('MSA-1') === 'AA'));
    await receiver.arrived(40);
    assert.deepEqual(receiver.ids(), ids);
    assert.equal(receiver.messages[7]?.get('OBR-3'), 'L7');

    const all = await world.engine.journal.list({ limit: 100 });
    assert.equal(all.length, 41);
    const whole = all.find(({ type }) => type === 'BHS');
    assert.equal(whole?.controlId, 'B1');
    const stored = await world.engine.journal.read(all[0]?.id ?? 0);
    const { note } = stored?.entries.find(({ kind }) => kind === 'received') ?? {};
    assert.equal(typeof note?.batch, 'string');
    assert.equal(note?.number, 40);

    const again = acks(await ask(batch('B1', `BTS|${ids.length}`, ...ids.map((id) => oru(id)))));
    assert.deepEqual(
      again.map((one) => one.raw('MSH')),
      answers.map((one) => one.raw('MSH')),
    );
    assert.equal(receiver.messages.length, 40);
  });

  it('row 40: with a message lost on the way are refused whole', async () => {
    await start();
    const answer = parseMessage(await ask(batch('B2', 'BTS|2', oru('L1'))));
    assert.deepEqual([answer.get('MSA-1'), answer.get('MSA-2')], ['AE', 'B2']);
    const [one, ...others] = await world.engine.journal.list({ limit: 100 });
    assert.deepEqual([one?.fault, others.length], ['GH-2015', 0]);
    assert.deepEqual(receiver.ids(), []);
  });

  it('row 40: nested, or without trailers, are split all the same', async () => {
    await start();
    const file = `FHS|^~\\&|LAB|RXX|HUB|RXX|1||||F1\r${batch('B1', 'BTS|1', oru('L1'))}${batch('B2', '', oru('L2'))}`;
    const response = splitBatch(await ask(file));
    assert.equal(response.header?.fields[12], 'F1');
    assert.deepEqual(
      response.batches.map(({ header }) => header?.fields[12]),
      ['B1', 'B2'],
    );
    await receiver.arrived(2);
  });

  it('row 40: messages in one frame without a header are each acknowledged in a frame of their own', async () => {
    await start();
    peer.write(framed(oru('L1') + oru('L2')));
    const answers = [parseMessage(await peer.next()), parseMessage(await peer.next())];
    assert.deepEqual(
      answers.map((one) => one.get('MSA-2')),
      ['L1', 'L2'],
    );
    await receiver.arrived(2);
  });

  it('row 40: are answered by the refusals alone, or by one acknowledgement, as the channel says', async () => {
    await start((channel) => (channel.batchAnswer = 'failures'));
    const some = acks(await ask(batch('B1', 'BTS|2', oru('L1'), oru('L2', 'STRANGER'))));
    assert.deepEqual(
      some.map((one) => [one.get('MSA-1'), one.get('MSA-2')]),
      [['AE', 'L2']],
    );
    await world.close();
    await start((channel) => (channel.batchAnswer = 'one'));
    const bad = parseMessage(await ask(batch('B1', 'BTS|2', oru('L1'), oru('L2', 'STRANGER'))));
    assert.deepEqual([bad.get('MSA-1'), bad.get('MSA-2')], ['AE', 'B1']);
    const good = parseMessage(await ask(batch('B2', 'BTS|1', oru('L3'))));
    assert.deepEqual([good.get('MSA-1'), good.get('MSA-2')], ['AA', 'B2']);
  });

  it('row 40: are refused clearly where the channel takes none', async () => {
    await start((channel) => (channel.batches = 'refuse'));
    const answer = parseMessage(await ask(batch('B1', 'BTS|1', oru('L1'))));
    assert.deepEqual([answer.get('MSA-1'), answer.get('MSA-2')], ['AR', 'B1']);
    assert.match(answer.get('MSA-3') ?? '', /takes no batches/);
    assert.equal((await world.engine.journal.list())[0]?.fault, 'GH-2014');
  });

  it('another message under the same control id is flagged, or refused, as the channel says', async () => {
    await start();
    const codes = async (...texts: string[]) => {
      const found: (string | undefined)[] = [];
      for (const text of texts) found.push(parseMessage(await ask(text)).get('MSA-1'));
      return found;
    };
    const other = oru('L1').replace('Full', 'Half');
    assert.deepEqual(await codes(oru('L1'), other), ['AA', 'AA']);
    const [flagged] = await world.engine.journal.list();
    const stored = await world.engine.journal.read(flagged?.id ?? 0);
    assert.ok(stored?.entries.some(({ note }) => typeof note?.controlIdOf === 'string'));
    await world.close();
    await start((channel) => (channel.repeats.otherBytes = 'refuse'));
    assert.deepEqual(await codes(oru('L1'), other, oru('L1')), ['AA', 'AE', 'AA']);
    // What was refused may be put right under the same id; two at once are told apart, too.
    const stranger = oru('L2', 'STRANGER');
    assert.deepEqual(await codes(stranger, oru('L2')), ['AE', 'AA']);
    peer.write(framed(oru('L3')) + framed(oru('L3').replace('Full', 'Half')));
    const both = [parseMessage(await peer.next()), parseMessage(await peer.next())];
    assert.deepEqual(
      both.map((one) => one.get('MSA-1')),
      ['AA', 'AE'],
    );
    assert.equal((await world.engine.journal.list())[0]?.fault, 'GH-2017');
  });
});
