import assert from 'node:assert/strict';
import { faults } from '../../engine/faults.ts';
import type { Respond } from '../../engine/mllp/mllp.ts';
import { byHand, closeAll, listening, sleep, until } from './wire.ts';

describe('mllp conversation', () => {
  afterEach(closeAll);

  it('hands frames over without waiting, and writes answers in order of arrival', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.send('<1><2><3>');
    await until(() => hand.open.length === 3, 'all three handed over');
    hand.open[2]?.give();
    hand.open[1]?.give();
    await sleep(20);
    assert.deepEqual(peer.answers(), []);
    hand.open[0]?.give();
    assert.deepEqual(await peer.first(3), ['ok 1', 'ok 2', 'ok 3']);
    await until(() => hand.settled.length === 3, 'settled');
    assert.deepEqual(hand.settled, ['1 delivered', '2 delivered', '3 delivered']);
  });

  it('numbers the connections and says who is at the other end', async () => {
    const l = await listening();
    for (const text of ['<1>', '<2>']) {
      const peer = l.peer();
      peer.send(text);
      await peer.first(1);
      const seen = l.peers.at(-1);
      assert.equal(seen?.address, `127.0.0.1:${peer.socket.localPort}`);
    }
    assert.deepEqual(
      l.peers.map((peer) => peer.connection),
      [1, 2],
    );
  });

  it('hands over no more than the pipeline allows, and loses none of the rest', async () => {
    const hand = byHand();
    const l = await listening({ limits: { pipeline: 4 } }, hand.respond);
    const peer = l.peer();
    const all = Array.from({ length: 100 }, (_, i) => String(i));
    for (const text of all) peer.send(`<${text}>`);
    for (let given = 0; given < all.length; given++) {
      const most = Math.min(given + 4, all.length);
      await until(() => hand.open.length >= most, `message ${most}`);
      assert.equal(hand.open.length, most);
      hand.open[given]?.give();
    }
    assert.deepEqual(
      await peer.first(100),
      all.map((text) => `ok ${text}`),
    );
  });

  it('pauses a peer that sends faster than it is answered', async () => {
    const hand = byHand();
    const l = await listening({ limits: { pipeline: 2, frameBytes: 2_000_000 } }, hand.respond);
    const peer = l.peer();
    const megabyte = 'x'.repeat(1_000_000);
    for (let i = 0; i < 30; i++) peer.send(`<${megabyte}>`);
    await until(() => hand.open.length === 2, 'two handed over');
    await sleep(60);
    assert.equal(hand.open.length, 2);
    assert.ok(peer.socket.writableLength > 10_000_000, 'the rest stays with the sender');
  });

  it('does not call a peer silent while it does not listen to it', async () => {
    const hand = byHand();
    const limits = { pipeline: 1, graceMs: 10, inFrameMs: 60, idleMs: 10 };
    const l = await listening({ limits }, hand.respond);
    const peer = l.peer();
    peer.send('<1><2 be^');
    await until(() => hand.open.length === 1, 'the first');
    peer.send('ginning>');
    await sleep(150);
    hand.open[0]?.give();
    await until(() => hand.open.length === 2, 'the second');
    assert.equal(hand.open[1]?.text, '2 be\x1cginning');
  });

  it('answers a peer that has closed its side', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.socket.end(Buffer.from('\x0b1\x1c\r\x0b2\x1c\r'));
    await until(() => hand.open.length === 2, 'both messages');
    await sleep(20);
    hand.open[0]?.give();
    hand.open[1]?.give();
    assert.deepEqual(await peer.first(2), ['ok 1', 'ok 2']);
    await peer.ended();
    await until(() => l.source.connections() === 0, 'the connection is over');
    assert.deepEqual(hand.settled, ['1 delivered', '2 delivered']);
  });

  it('writes nothing for an answer that is none', async () => {
    const l = await listening({}, async (arrival) =>
      arrival.kind === 'message' ? { payload: arrival.payload, settled: () => {} } : undefined,
    );
    const peer = l.peer();
    peer.send('<><1>');
    assert.deepEqual(await peer.first(1), ['1']);
  });

  it('writes interim answers in their turn, before the response', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.send('<1><2>');
    await until(() => hand.open.length === 2, 'both messages');
    hand.open[1]?.interim('accept 2');
    hand.open[0]?.interim('accept 1');
    assert.deepEqual(await peer.first(1), ['accept 1']);
    await sleep(10);
    assert.deepEqual(peer.answers(), ['accept 1']);
    hand.open[0]?.give();
    assert.deepEqual(await peer.first(3), ['accept 1', 'ok 1', 'accept 2']);
    hand.open[1]?.give();
    assert.deepEqual(await peer.first(4), ['accept 1', 'ok 1', 'accept 2', 'ok 2']);
  });

  it('hangs up after an answer that says so', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.send('<1><2><3>');
    await until(() => hand.open.length === 3, 'all');
    hand.open[1]?.give({ close: true });
    hand.open[0]?.give();
    await peer.ended();
    assert.deepEqual(peer.answers(), ['ok 1', 'ok 2']);
    hand.open[2]?.give();
    await until(() => hand.settled.includes('3 undelivered'), 'the third settled');
  });

  for (const [how, fail] of [
    ['rejects', () => Promise.reject(new Error('patient Smith'))],
    [
      'throws',
      () => {
        throw new Error('patient Smith');
      },
    ],
  ] as [string, () => Promise<undefined>][]) {
    it(`a responder that ${how} wedges nothing: event, no answer, hang up`, async () => {
      const respond: Respond = (arrival) =>
        arrival.kind === 'message' && arrival.payload.toString() === '2'
          ? fail()
          : Promise.resolve({ payload: Buffer.from('ok'), settled: () => {} });
      const l = await listening({}, respond);
      const bad = l.peer();
      bad.send('<1><2><3>');
      await bad.ended();
      assert.deepEqual(bad.answers(), ['ok']);
      const events = l.events.filter((e) => e.name === 'exchange.fault');
      assert.deepEqual(
        events.map((e) => e.fields.code),
        [faults.internalError.code],
      );
      assert.ok(!JSON.stringify(l.events).includes('Smith'));
      const good = l.peer();
      good.send('<1>');
      assert.deepEqual(await good.first(1), ['ok']);
    });
  }

  it('never writes an answer whose beginning would pass for the whole', async () => {
    const settled: string[] = [];
    const l = await listening({}, async () => ({
      payload: Buffer.from('MSA|AA\x1c\r|NOT GIVEN'),
      settled: (outcome) => void settled.push(outcome),
    }));
    const peer = l.peer();
    peer.send('<1>');
    await peer.ended();
    assert.equal(peer.received().length, 0);
    assert.deepEqual(settled, ['undelivered']);
  });

  it('row 38: a peer that does not read holds back its own answers, and is cut in the end', async () => {
    const answer = Buffer.alloc(1_000_000, 'x');
    let asked = 0;
    let askedAtCut: number | undefined;
    const outcomes: string[] = [];
    const l = await listening({ limits: { pipeline: 4, inFrameMs: 150 } }, async (arrival) => {
      const small = arrival.kind === 'message' && arrival.payload.toString() === 'small';
      if (!small) asked++;
      return {
        payload: small ? Buffer.from('ok') : answer,
        settled(outcome) {
          if (small) return;
          outcomes.push(outcome);
          if (outcome === 'undelivered') askedAtCut ??= asked;
        },
      };
    });
    const deaf = l.peer();
    deaf.socket.pause();
    for (let i = 0; i < 200; i++) deaf.send('<large>');
    const good = l.peer();
    good.send('<small>');
    assert.deepEqual(await good.first(1), ['ok']);
    await until(() => outcomes.includes('undelivered'), 'the deaf peer is cut');
    // The kernel takes some megabytes; what is held beyond is a pipeline's worth.
    assert.ok((askedAtCut ?? 200) < 40, `${askedAtCut} answers made for a peer that reads none`);
    await until(
      () => outcomes.length === 200,
      'every message is handed over, every answer settled',
    );
    good.send('<small>');
    assert.deepEqual(await good.first(2), ['ok', 'ok']);
  });

  it('row 38: a peer that reads slowly gets every byte', async () => {
    const l = await listening({ limits: { frameBytes: 2_000_000 } });
    const peer = l.peer();
    const megabyte = 'x'.repeat(1_000_000);
    peer.socket.pause();
    for (let i = 0; i < 8; i++) peer.send(`<${megabyte}>`);
    await sleep(100);
    peer.socket.resume();
    const answers = await peer.first(8);
    assert.equal(answers.length, 8);
    assert.ok(answers.every((answer) => answer === `ok ${megabyte}`));
    await until(() => l.settled.length === 8, 'settled');
    assert.ok(l.settled.every((line) => line.endsWith(' delivered')));
  });

  it('stops: no new frames, those taken are answered, a frame in part is reported', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const busy = l.peer();
    const idle = l.peer();
    busy.send('<1><2 be');
    await until(() => hand.open.length === 1 && l.source.connections() === 2, 'the first message');
    const stopped = l.source.stop(5000);
    await until(() => hand.open.length === 2, 'the report');
    await idle.ended();
    idle.socket.end();
    busy.send('ginning><3>');
    hand.open[0]?.give();
    hand.open[1]?.give();
    assert.deepEqual(await busy.first(2), ['ok 1', 'ok 2 be']);
    await busy.ended();
    busy.socket.end();
    await stopped;
    assert.deepEqual(l.seen(), ['1', 'shuttingDown(2 be)']);
    assert.equal(l.source.connections(), 0);
    const late = l.peer();
    await late.ended();
    assert.equal(l.peers.length, 2);
  });

  it('stops within its grace when an answer never comes', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.send('<1>');
    await until(() => hand.open.length === 1, 'the message');
    await l.source.stop(30);
    await peer.ended();
    hand.open[0]?.give();
    await until(() => hand.settled.length === 1, 'settled');
    assert.deepEqual(hand.settled, ['1 undelivered']);
  });

  it('is stopped again with a shorter grace: both stops end then, and it is told once', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    l.peer().send('<1>');
    await until(() => hand.open.length === 1, 'the message');
    const first = l.source.stop(60_000);
    const second = l.source.stop(30);
    assert.deepEqual(await Promise.all([first, second]), [1, 1]);
    assert.deepEqual(
      l.events.filter(({ name }) => name === 'channel.closed'),
      [{ name: 'channel.closed', fields: { channel: 'test' } }],
    );
  });

  it('one bad peer never harms another', async () => {
    const l = await listening({ limits: { inFrameMs: 60, graceMs: 20, frameBytes: 5000 } });
    const good = l.peer();
    const answers: string[] = [];
    const mischief: ((peer: ReturnType<typeof l.peer>) => void)[] = [
      (peer) => peer.send('no start at all'),
      (peer) => peer.send('<MSH|cut short'),
      (peer) => peer.send(`<${'x'.repeat(100_000)}`),
      (peer) => peer.send('><^^<>><<MSH|<MSH|'),
      (peer) => void peer.socket.end('\x0bMSH|half'),
      (peer) => peer.socket.on('connect', () => peer.socket.resetAndDestroy()),
      (peer) => void peer.socket.write(Buffer.alloc(20_000, 0)),
    ];
    for (const [i, act] of mischief.entries()) {
      act(l.peer());
      good.send(`<MSH|${i}>`);
      answers.push(`ok MSH|${i}`);
      assert.deepEqual(await good.first(i + 1), answers);
    }
    await sleep(120);
    good.send('<MSH|last>');
    assert.deepEqual(await good.first(mischief.length + 1), [...answers, 'ok MSH|last']);
  });
});
