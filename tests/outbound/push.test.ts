/** A push in raw bytes: ADT on a socket, the simulated GP side, a receiver that does as it is told. */
import assert from 'node:assert/strict';
import type { Destination } from '../../engine/channel.ts';
import type { Push } from '../../engine/config/push.ts';
import type { Site } from '../../engine/config/site.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Entry } from '../../engine/journal/journal.ts';
import { type World, framed, rawPeer, startWorld } from '../world.ts';
import { type Receiver, acknowledge, startReceiver } from './receiver.ts';

type Feed = Extract<Destination, { kind: 'feed' }>;
const nel = '9465701459';
const bram = '9990000018';
const zau = 'ZAU|10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|G||ED';

let serial = 0;
/** An ADT message; `change` replaces fields, by path, and `asker` the segment ZAU. */
function adt(event: string, patient: string, change: Record<string, string> = {}, asker = zau) {
  const text = [
    `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||ADT^${event}^ADT_A01|P${++serial}|P|2.4`,
    'EVN||20260604101500',
    `PID|1||${patient}^^^NHS^NH~633481^^^R0A^MR||Nel^Morris||19990225|1`,
    'PV1|1|E|ED^BAY 4',
    ...(asker ? [asker] : []),
    '',
  ].join('\r');
  const message = parseMessage(Buffer.from(text));
  for (const [path, value] of Object.entries(change)) message.setRaw(path, value);
  return message.toBytes().toString();
}

/** The push channel alone, with this receiver behind it. */
function pushTo(receiver: Receiver, push: Partial<Push> = {}, feed: Partial<Feed> = {}) {
  return (site: Site) => {
    site.channels = site.channels.filter(({ channel }) => channel.channel === 'record-push');
    for (const { channel } of site.channels) {
      const { epr } = channel.destinations;
      assert.ok(epr?.kind === 'feed');
      const backoff = { first: 20, most: 40 };
      Object.assign(epr, { port: receiver.port, timeout: 300, backoff, ...feed });
      for (const entry of channel.deliver) Object.assign(entry.push ?? {}, push);
    }
  };
}

async function send(world: World, ...messages: string[]): Promise<void> {
  const peer = await rawPeer(world.engine.ports['record-push'] ?? 0);
  for (const message of messages) {
    peer.write(framed(message));
    assert.match(parseMessage(await peer.next()).get('MSA-1') ?? '', /^[AC]A$/);
  }
  peer.socket.destroy();
}

async function until<T>(found: () => Promise<T | undefined> | T | undefined, what: string) {
  for (const started = Date.now(); ;) {
    const one = await found();
    if (one) return one;
    if (Date.now() - started > 8000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The delivery of the newest exchange, once it is in this state, with the entries of the exchange. */
async function ended(world: World, state: 'delivered' | 'filtered' | 'parked') {
  const { journal } = world.engine;
  const [newest] = await journal.list({ limit: 1 });
  const one = await until(async () => {
    const [found] = await journal.outbound({ states: [state], exchange: newest?.id });
    return found;
  }, state);
  const entries = (await journal.read(one.exchange))?.entries ?? [];
  const last = entries.findLast(({ note }) => note?.state === state);
  return { ...one, entries, detail: last?.note?.detail };
}

const asked = (entries: readonly Entry[]) => entries.filter(({ kind }) => kind === 'asking');
const recordAsked = (entries: readonly Entry[]) =>
  asked(entries).filter(({ note }) => note?.to === 'gpconnect').length;

describe('a push', () => {
  let world: World;
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await world.close();
    await receiver.close();
  });

  it('fetches the record an admission sets off and sends it, each hop under the admission', async () => {
    world = await startWorld(pushTo(receiver));
    await send(world, adt('A01', nel, { 'MSH-15': 'AL', 'MSH-16': 'NE' }));
    await receiver.arrived(1);
    const [message] = receiver.messages;
    assert.equal(message?.raw('MSH-9'), 'ORU^R01^ORU_R01');
    assert.deepEqual([message?.get('MSH-5'), message?.get('MSH-6')], ['MILLENNIUM', 'R0A']);
    assert.equal(message?.raw('PID-3'), `${nel}^^^NHS^NH`);
    assert.ok((message?.count('OBX') ?? 0) > 50);
    const { entries, exchange } = await ended(world, 'delivered');
    assert.equal(message?.get('MSH-10'), `${exchange.toString(36).toUpperCase()}P`);
    const steps = entries.filter(({ note }) => note?.for === 'record-push/epr');
    assert.deepEqual(
      steps.filter(({ kind }) => kind === 'step').map(({ note }) => `${note?.do} ${note?.event}`),
      ['identify', 'authorise', 'trace', 'locate', 'ask', 'map'].map(
        (did) => `${did} ${did === 'ask' ? 'reply' : 'found'}`,
      ),
    );
    assert.ok(asked(entries).length >= 4 && asked(entries).every((one) => steps.includes(one)));
    // The admission was answered once, before any of it.
    const answers = entries.filter(({ kind }) => kind === 'answer');
    assert.equal(answers.length, 1);
    assert.ok((answers[0]?.at ?? 0) <= (steps[0]?.at ?? 0));
    assert.equal((await world.engine.journal.list())[0]?.state, 'answered');
    assert.equal((await world.engine.journal.list())[0]?.delivery, 'delivered');
  });

  it('asks the GP side as the user of the message, once for as many tries as the hospital needs', async () => {
    world = await startWorld(pushTo(receiver));
    receiver.react = (message) =>
      receiver.messages.length < 3 ? acknowledge(message, 'AE') : acknowledge(message);
    await send(world, adt('A04', nel));
    const { entries, attempts } = await ended(world, 'delivered');
    assert.equal(attempts, 3);
    assert.equal(new Set(receiver.messages.map((one) => one.toBytes().toString())).size, 1);
    assert.ok(recordAsked(entries) <= 2);
    const { request } = world.gp.asked.findLast(({ system }) => system === 'ssp') ?? {};
    const token = /^Bearer [\w-]+\.([\w-]+)\.$/.exec(request?.headers.authorization ?? '');
    const claims = Buffer.from(token?.[1] ?? '', 'base64url').toString();
    assert.match(claims, /"family":"Smith".*10019|10019.*"family":"Smith"/);
    assert.equal(request?.headers['ssp-from'], '200000000115');
  });

  it('a crash between the acknowledgement and the push loses nothing', async () => {
    world = await startWorld(pushTo(receiver));
    world.engine.queues.get('record-push/epr')?.hold();
    await send(world, adt('A01', nel), adt('A28', bram));
    await world.engine.stop(0);
    assert.equal(receiver.messages.length, 0);
    await world.restart();
    await receiver.arrived(2);
    const patients = new Set(receiver.messages.map((one) => one.get('PID-3.1')));
    assert.deepEqual(patients, new Set([nel, bram]));
  });

  it('a crash while it is being sent: the same bytes again, flagged, and nobody is asked twice', async () => {
    world = await startWorld(pushTo(receiver, {}, { timeout: 60_000 }));
    receiver.react = () => 'silence';
    await send(world, adt('A01', nel));
    await receiver.arrived(1);
    await world.engine.stop(0);
    receiver.react = (message) => acknowledge(message);
    await world.restart();
    await receiver.arrived(2);
    const [first, second] = receiver.messages.map((one) => one.toBytes().toString());
    assert.equal(first, second);
    const { entries } = await ended(world, 'delivered');
    assert.ok(recordAsked(entries) <= 2);
    const sendings = entries.filter(({ note }) => note?.state === 'sending');
    assert.deepEqual(
      sendings.map(({ note }) => note?.possibleDuplicate === true),
      [false, true],
    );
  });

  it('tries a GP side that is down again until it is back, and lets other patients pass', async () => {
    world = await startWorld(pushTo(receiver));
    world.gp.set(bram, 'unavailable');
    await send(world, adt('A01', bram), adt('A01', nel));
    await receiver.arrived(1);
    assert.equal(receiver.messages[0]?.get('PID-3.1'), nel);
    await until(async () => {
      const [waits] = await world.engine.journal.outbound({ states: ['failed'] });
      return waits?.fault === 'GH-5002';
    }, 'it failed for now');
    world.gp.set(bram, undefined);
    await receiver.arrived(2);
    assert.equal(receiver.messages[1]?.get('PID-3.1'), bram);
  });

  it('gives a GP side that stays down up once the patience of the push is over', async () => {
    world = await startWorld(pushTo(receiver, { patience: 600 }));
    world.gp.set(bram, 'unavailable');
    await send(world, adt('A01', bram));
    const { fault, detail, entries } = await ended(world, 'parked');
    assert.equal(fault, 'GH-7030');
    assert.equal(detail, 'last: GH-5002');
    assert.ok(recordAsked(entries) > 1);
    assert.deepEqual(receiver.messages, []);
  });

  it('sends nothing of a restricted patient, in the words that hold for one nobody knows', async () => {
    world = await startWorld(pushTo(receiver));
    const why = [];
    for (const scenario of ['restricted', 'PATIENT_NOT_FOUND'] as const) {
      world.gp.set(nel, scenario);
      await send(world, adt('A01', nel));
      const { entries, detail, fault } = await ended(world, 'filtered');
      why.push({ detail, fault });
      if (scenario === 'restricted') assert.equal(recordAsked(entries), 0);
    }
    assert.deepEqual(why[0], why[1]);
    assert.match(String(why[0]?.detail), /this does not mean nothing is recorded/);
    assert.deepEqual(receiver.messages, []);
  });

  it('asks for the acknowledgements of its destination, and goes to two systems under two ids', async () => {
    const archive = await startReceiver();
    world = await startWorld((site) => {
      pushTo(receiver, {}, { acknowledge: 'accept' })(site);
      const [loaded] = site.channels;
      const { epr } = loaded?.channel.destinations ?? {};
      const [entry] = loaded?.channel.deliver ?? [];
      assert.ok(loaded && entry?.push && epr?.kind === 'feed');
      const { channel } = loaded;
      channel.destinations.archive = { ...epr, port: archive.port, acknowledge: 'original' };
      const push: Push = { ...entry.push, as: 'MDM^T02', version: '2.5.1' };
      channel.deliver.push({ ...entry, to: 'archive', push });
    });
    receiver.react = (message) => acknowledge(message, 'CA');
    await send(world, adt('A01', nel));
    await Promise.all([receiver.arrived(1), archive.arrived(1)]);
    const [first] = receiver.messages;
    const [second] = archive.messages;
    assert.deepEqual([first?.get('MSH-15'), first?.get('MSH-16')], ['AL', 'NE']);
    assert.equal(second?.get('MSH-15'), undefined);
    assert.equal(second?.raw('MSH-9'), 'MDM^T02^MDM_T02');
    assert.equal(second?.get('MSH-12'), '2.5.1');
    assert.equal(second?.get('MSH-10'), `${first?.get('MSH-10')}2`);
    await archive.close();
  });
});

describe('a push that nobody is asked for', () => {
  let world: World;
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
    world = await startWorld(pushTo(receiver));
  });
  after(async () => {
    await world.close();
    await receiver.close();
  });

  const refused: [string, string, 'parked' | 'filtered', RegExp][] = [
    ['without a user', adt('A01', nel, {}, ''), 'parked', /GH-3002/],
    [
      'with a user without a role',
      adt('A01', nel, {}, zau.replace('UNK', '')),
      'parked',
      /GH-3002/,
    ],
    [
      'for an organisation that is not registered',
      adt('A01', nel, {}, zau.replace('R0A', 'X99')),
      'parked',
      /GH-3005/,
    ],
    [
      'with consent refused',
      adt('A01', nel, {}, zau.replace('|G|', '|R|')),
      'filtered',
      /refused permission to view/,
    ],
    ['without an NHS number', adt('A01', '', { 'PID-3': '633481^^^R0A^MR' }), 'filtered', /NHS/],
    ['with a wrong check digit', adt('A01', '9465701458'), 'parked', /GH-4002/],
    ['of an event that sets off no push', adt('A31', nel), 'filtered', /MSH-9 is none of ADT A01/],
  ];
  for (const [what, message, state, why] of refused) {
    it(`asks nobody for a message ${what}: ${state}`, async () => {
      await send(world, message);
      const { fault, detail, entries } = await ended(world, state);
      assert.match(`${fault ?? ''} ${String(detail)}`, why);
      assert.deepEqual(asked(entries), []);
      assert.deepEqual(receiver.messages, []);
    });
  }
});
