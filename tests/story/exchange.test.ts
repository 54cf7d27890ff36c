import assert from 'node:assert/strict';
import { faults } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { type World, ask, framed, qbp, rawPeer, segments, startWorld } from '../world.ts';

const nel = '9465701459';
const asksFor = (world: World) => world.gp.asked.filter(({ system }) => system === 'ssp').length;

let serial = 0;
function adt(change: Record<string, string> = {}): string {
  const id = change['MSH-10'] ?? `A${Date.now()}${++serial}`;
  const text = [
    `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^A01^ADT_A01|${id}|P|2.4|||||GBR|UNICODE UTF-8|EN`,
    'EVN||20260604101500',
    `PID|1||${nel}^^^NHS^NH~700001^^^R0A^MR||Nel^Morris||19990225|1`,
    'PD1|||Willowbeck Surgery^^Z99901',
    'PV1|1|E',
    '',
  ].join('\r');
  const message = parseMessage(Buffer.from(text));
  for (const [path, value] of Object.entries(change)) message.setRaw(path, value);
  return message.toBytes().toString();
}

describe('an exchange', () => {
  let world: World;
  let query: number;
  let feed: number;
  before(async () => {
    world = await startWorld();
    query = world.engine.ports['gp-record'] ?? 0;
    feed = world.engine.ports['adt-feed'] ?? 0;
  });
  after(() => world.close());
  afterEach(() => world.gp.set(nel, undefined));

  describe('that comes again', () => {
    it('row 27: is given the stored answer, and the GP is not asked twice', async () => {
      const text = qbp(nel);
      const first = await ask(query, text);
      const before = asksFor(world);
      const again = await ask(query, text);
      assert.deepEqual(again.toBytes(), first.toBytes());
      assert.equal(asksFor(world), before);
      const [repeat, original] = await world.engine.journal.list({ limit: 2 });
      assert.equal(repeat?.repeatOf, original?.id);
    });

    it('while the first is under way waits for it', async () => {
      world.gp.set(nel, { name: 'slow', ms: 300 });
      const text = qbp(nel);
      const before = asksFor(world);
      const answers = await Promise.all([ask(query, text), ask(query, text), ask(query, text)]);
      assert.equal(new Set(answers.map((a) => a.toBytes().toString())).size, 1);
      assert.equal(asksFor(world), before + 1);
    });

    it('with other bytes under the same MSH-10 is another message', async () => {
      const id = `SAME${Date.now()}`;
      const first = await ask(query, qbp(nel, { 'MSH-10': id }));
      const other = await ask(query, qbp(nel, { 'MSH-10': id, 'QPD-4': 'ALL' }));
      assert.ok(first.count('PRB') > 0);
      assert.equal(other.count('PRB'), 0);
    });

    it('in enhanced mode gets both of its acknowledgements again, each committed', async () => {
      const both = async (text: string) => {
        const peer = await rawPeer(query);
        peer.write(framed(text));
        const frames = [await peer.next(), await peer.next()];
        peer.socket.destroy();
        return frames.map(String);
      };
      const text = qbp(nel, { 'MSH-15': 'AL', 'MSH-16': 'AL' });
      const first = await both(text);
      const before = asksFor(world);
      assert.deepEqual(await both(text), first);
      assert.equal(asksFor(world), before);
      const [, original] = await world.engine.journal.list({ limit: 2 });
      const stored = original && (await world.engine.journal.read(original.id));
      const answers = stored?.entries.filter((e) => e.kind === 'answer') ?? [];
      assert.deepEqual(
        answers.map((e) => Buffer.from(e.body ?? '').toString()),
        first,
      );
    });

    it('that wanted no acknowledgement gets none again, and is known', async () => {
      const text = adt({ 'MSH-15': 'NE', 'MSH-16': 'NE' });
      const peer = await rawPeer(feed);
      peer.write(framed(text) + framed(text) + framed(adt({ 'MSH-10': 'AFTER' })));
      assert.equal(parseMessage(await peer.next()).get('MSA-2'), 'AFTER');
      peer.socket.destroy();
      const [, repeat] = await world.engine.journal.list({ channel: 'adt-feed', limit: 2 });
      assert.ok(repeat?.repeatOf);
    });

    it('after a transient failure is asked anew', async () => {
      world.gp.set(nel, 'unavailable');
      const text = qbp(nel);
      const failed = await ask(query, text, 15_000);
      assert.equal(failed.get('MSA-1'), 'AR');
      assert.equal(failed.get('QAK-2'), 'AR');
      world.gp.set(nel, undefined);
      assert.equal((await ask(query, text)).get('MSA-1'), 'AA');
    });

    it('row 28: after a restart is still known', async () => {
      const text = qbp(nel);
      const message = adt();
      const first = await ask(query, text);
      const acknowledged = await ask(feed, message);
      const count = (await world.engine.journal.list({ channel: 'adt-feed', limit: 1000 })).length;
      await world.restart();
      query = world.engine.ports['gp-record'] ?? 0;
      feed = world.engine.ports['adt-feed'] ?? 0;
      const before = asksFor(world);
      assert.deepEqual((await ask(query, text)).toBytes(), first.toBytes());
      assert.deepEqual((await ask(feed, message)).toBytes(), acknowledged.toBytes());
      assert.equal(asksFor(world), before);
      const [repeat] = await world.engine.journal.list({ channel: 'adt-feed', limit: 1000 });
      assert.ok(repeat?.repeatOf);
      assert.equal(
        (await world.engine.journal.list({ channel: 'adt-feed', limit: 1000 })).length,
        count + 1,
      );
    });
  });

  describe('is acknowledged', () => {
    it('in original mode with one application acknowledgement', async () => {
      const answer = await ask(feed, adt({ 'MSH-10': 'ORIG1' }));
      assert.equal(answer.raw('MSH-9'), 'ACK^A01^ACK');
      assert.equal(answer.raw('MSA'), 'MSA|AA|ORIG1');
      assert.notEqual(answer.get('MSH-10'), 'ORIG1');
    });

    it('in enhanced mode with CA alone when only that is wanted', async () => {
      const answer = await ask(feed, adt({ 'MSH-15': 'AL', 'MSH-16': 'NE' }));
      assert.equal(answer.get('MSA-1'), 'CA');
    });

    it('in enhanced mode with CA, then AA, each under its own MSH-10', async () => {
      const peer = await rawPeer(feed);
      peer.write(framed(adt({ 'MSH-15': 'AL', 'MSH-16': 'AL' })));
      const [accept, application] = [
        parseMessage(await peer.next()),
        parseMessage(await peer.next()),
      ];
      peer.socket.destroy();
      assert.deepEqual([accept.get('MSA-1'), application.get('MSA-1')], ['CA', 'AA']);
      assert.notEqual(accept.get('MSH-10'), application.get('MSH-10'));
    });

    it('not at all when nothing is wanted, and is stored all the same', async () => {
      const peer = await rawPeer(feed);
      peer.write(framed(adt({ 'MSH-15': 'NE', 'MSH-16': 'NE', 'MSH-10': 'QUIET1' })));
      peer.write(framed(adt({ 'MSH-10': 'LOUD1' })));
      assert.equal(parseMessage(await peer.next()).get('MSA-2'), 'LOUD1');
      peer.socket.destroy();
      assert.equal((await world.engine.journal.list({ controlId: 'QUIET1' })).length, 1);
    });

    it('a query in enhanced mode gets CA before the GP has answered, then its answer', async () => {
      world.gp.set(nel, { name: 'slow', ms: 400 });
      const peer = await rawPeer(query);
      const before = asksFor(world);
      peer.write(framed(qbp(nel, { 'MSH-15': 'AL', 'MSH-16': 'AL' })));
      assert.equal(parseMessage(await peer.next()).get('MSA-1'), 'CA');
      assert.equal(asksFor(world) - before <= 1, true);
      const answer = parseMessage(await peer.next());
      assert.equal(answer.get('MSA-1'), 'AA');
      assert.equal(answer.get('MSH-9.1'), 'RSP');
      peer.socket.destroy();
    });

    it('with CR when the type is refused in enhanced mode', async () => {
      const answer = await ask(feed, adt({ 'MSH-9': 'ORU^R01^ORU_R01', 'MSH-15': 'ER' }));
      assert.equal(answer.get('MSA-1'), 'CR');
    });

    it('keeps the sender\u2019s MSH-10 byte for byte', async () => {
      const answer = await ask(feed, adt({ 'MSH-10': 'x\\T\\ 1\\E\\~y' }));
      assert.equal(answer.raw('MSA-2'), 'x\\T\\ 1\\E\\~y');
    });
  });

  describe('that is no proper message', () => {
    it('row 19: a frame that is not HL7 is kept and answered with AR', async () => {
      const answer = await ask(feed, 'GET / HTTP/1.1');
      assert.equal(answer.get('MSA-1'), 'AR');
      const [kept] = await world.engine.journal.list({ channel: 'adt-feed', limit: 1 });
      assert.equal(kept?.fault, faults.notHl7.code);
      const stored = kept && (await world.engine.journal.read(kept.id));
      assert.equal(Buffer.from(stored?.entries[0]?.body ?? '').toString(), 'GET / HTTP/1.1');
    });

    it('row 20: an MSH without type or control id is never acknowledged positively', async () => {
      for (const change of [{ 'MSH-9': '' }, { 'MSH-10': '' }] as Record<string, string>[]) {
        const answer = await ask(feed, adt({ 'MSH-10': 'SHORT', ...change }));
        assert.match(answer.get('MSA-1') ?? '', /^A[ER]$/);
      }
      const answer = await ask(feed, 'MSH|^~\\&|\r');
      assert.match(answer.get('MSA-1') ?? '', /^A[ER]$/);
    });

    it('row 14: bytes without a start byte get a clear answer', async () => {
      const peer = await rawPeer(feed);
      peer.write(adt());
      const answer = parseMessage(await peer.next());
      assert.equal(answer.get('MSA-1'), 'AR');
      assert.match(answer.raw('MSA-3') ?? '', /without the start byte VT/);
      await peer.closed();
    });

    it('row 26: a message cut off inside its frame is kept as broken, never as a message', async () => {
      const peer = await rawPeer(feed);
      peer.write(`\x0b${adt({ 'MSH-10': 'CUT1' }).slice(0, 150)}`);
      peer.socket.destroy();
      const again = await ask(feed, adt({ 'MSH-10': 'CUT1' }));
      assert.equal(again.get('MSA-1'), 'AA');
      assert.equal((await world.engine.journal.list({ controlId: 'CUT1' })).length, 1);
      const parked = await world.engine.journal.list({ state: 'parked', limit: 10 });
      assert.ok(parked.some((e) => e.fault === faults.frameCutShort.code));
    });

    it('row 25: UTF-16 is refused with the reason', async () => {
      const peer = await rawPeer(feed);
      peer.write(
        Buffer.concat([Buffer.from('\x0b'), Buffer.from(adt(), 'utf16le'), Buffer.from('\x1c\r')]),
      );
      const answer = parseMessage(await peer.next());
      assert.match(answer.raw('MSA-3') ?? '', /UTF-16/);
      peer.socket.destroy();
    });

    it('rows 15 to 17: a BOM, blank lines, LF and a missing last CR are read and kept', async () => {
      const variants = [
        `\ufeff${adt()}`,
        `\r\n\r\n${adt()}`,
        adt().replaceAll('\r', '\n'),
        adt().replaceAll('\r', '\r\n'),
        adt().trimEnd(),
      ];
      for (const text of variants) {
        assert.equal((await ask(feed, text)).get('MSA-1'), 'AA');
        const [last] = await world.engine.journal.list({ channel: 'adt-feed', limit: 1 });
        const stored = last && (await world.engine.journal.read(last.id));
        assert.equal(Buffer.from(stored?.entries[0]?.body ?? '').toString(), text);
      }
    });

    it('row 24: ISO 8859-1 is read by MSH-18 and answered in it', async () => {
      const text = adt({ 'MSH-10': 'L1' })
        .replace('UNICODE UTF-8', '8859/1')
        .replace('L1', 'Zo\u00eb1');
      const peer = await rawPeer(feed);
      peer.write(Buffer.from(framed(text), 'latin1'));
      const answer = await peer.next();
      peer.socket.destroy();
      assert.ok(answer.includes(Buffer.from('MSA|AA|Zo\u00eb1', 'latin1')));
    });
  });

  it('tells the cause when the sender\u2019s time runs out', async () => {
    const patient = await startWorld((site) => {
      for (const { channel } of site.channels) channel.patience.answer = 400;
    });
    try {
      patient.gp.set(nel, 'hang');
      const answer = await ask(patient.engine.ports['gp-record'] ?? 0, qbp(nel));
      assert.equal(answer.get('MSA-1'), 'AR');
      assert.equal(answer.get('QAK-2'), 'AR');
      const [last] = await patient.engine.journal.list({ limit: 1 });
      assert.equal(last?.fault, faults.deadlinePassed.code);
    } finally {
      await patient.close();
    }
  });

  it('takes the practice from ADT when PDS cannot be reached, and says so', async () => {
    await ask(feed, adt());
    world.gp.set(nel, 'pdsError');
    const answer = await ask(query, qbp(nel));
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.match(
      segments(answer, 'NTE').join('\n'),
      /PDS could not be reached; the practice was taken from the hospital/,
    );
  });

  it('never says "no record" because the practice ADT named does not know the patient', async () => {
    await ask(feed, adt());
    world.gp.set(nel, 'pdsError');
    const { records } = world.gp.world;
    const record = records.get(nel);
    assert.ok(record);
    records.delete(nel);
    const answer = await ask(query, qbp(nel));
    records.set(nel, record);
    assert.equal(answer.get('MSA-1'), 'AR');
    assert.equal(answer.get('QAK-2'), 'AR');
  });

  it('keeps what stands in place of a message type out of listings and logs', async () => {
    await ask(feed, adt({ 'MSH-9': 'Nel Morris 19990225' }));
    const [last] = await world.engine.journal.list({ channel: 'adt-feed', limit: 1 });
    assert.equal(last?.type, 'unknown');
  });

  it('does not, for a patient no ADT message named: PDS\u2019s own fault is told', async () => {
    world.gp.set('9990000018', 'pdsError');
    const answer = await ask(query, qbp('9990000018'));
    world.gp.set('9990000018', undefined);
    assert.equal(answer.get('MSA-1'), 'AR');
    assert.equal(answer.get('QAK-2'), 'AR');
  });

  it('stores what was received, asked and answered, to be read back exactly', async () => {
    const text = qbp(nel, { 'MSH-10': 'READBACK' });
    const answer = await ask(query, text);
    const [found] = await world.engine.journal.list({ controlId: 'READBACK' });
    const stored = found && (await world.engine.journal.read(found.id));
    const body = (kind: string) =>
      Buffer.from(stored?.entries.findLast((e) => e.kind === kind)?.body ?? '');
    assert.equal(body('received').toString(), text);
    assert.deepEqual(body('answer'), answer.toBytes());
    assert.match(body('reply').toString(), /"resourceType":\s*"Bundle"/);
    assert.match(body('asking').toString(), /^POST .*getstructuredrecord/);
    assert.equal(found?.state, 'answered');
  });
});
