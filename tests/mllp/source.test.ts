import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { faults } from '../../engine/faults.ts';
import { byHand, closeAll, listening, sleep, until, wire } from './wire.ts';

describe('mllp source', () => {
  afterEach(closeAll);

  it('row 1: one byte per chunk is one message and one answer', async () => {
    const l = await listening();
    const peer = l.peer();
    for (const byte of wire('<MSH|1\r>')) {
      peer.socket.write(Buffer.from([byte]));
      await sleep(1);
    }
    assert.deepEqual(await peer.first(1), ['ok MSH|1\r']);
    assert.deepEqual(l.seen(), ['MSH|1\r']);
  });

  it('row 2: FS and CR in different segments end one frame', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1^');
    await sleep(20);
    peer.send('\r<MSH|2>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2']);
    assert.deepEqual(l.seen(), ['MSH|1', 'MSH|2']);
  });

  it('row 3: several frames in one chunk are all answered, in order', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1><MSH|2><MSH|3>');
    assert.deepEqual(await peer.first(3), ['ok MSH|1', 'ok MSH|2', 'ok MSH|3']);
  });

  it('row 4: one and a half frames, then the rest: nothing twice, nothing in part', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1><MSH|2 be');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
    assert.deepEqual(l.seen(), ['MSH|1']);
    peer.send('ginning>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2 beginning']);
    assert.deepEqual(l.seen(), ['MSH|1', 'MSH|2 beginning']);
  });

  it('row 5: a pause inside a frame shorter than the limit is waited for', async () => {
    const l = await listening({ limits: { inFrameMs: 5000, graceMs: 10, idleMs: 10 } });
    const peer = l.peer();
    peer.send('<MSH|1 be');
    await sleep(60);
    peer.send('ginning>');
    assert.deepEqual(await peer.first(1), ['ok MSH|1 beginning']);
  });

  it('row 5: a pause longer than the limit drops the frame, says so and hangs up', async () => {
    const l = await listening({ limits: { inFrameMs: 40 } });
    const peer = l.peer();
    peer.send('<MSH|1 be');
    assert.deepEqual(await peer.first(1), ['AR frameTimeout']);
    await peer.ended();
    assert.deepEqual(l.seen(), ['frameTimeout(MSH|1 be)']);
  });

  it('row 6: a long silence between messages keeps the connection', async () => {
    const l = await listening({ limits: { inFrameMs: 30, graceMs: 10, idleMs: 60_000 } });
    const peer = l.peer();
    await sleep(100);
    peer.send('<MSH|1>');
    await peer.first(1);
    await sleep(100);
    peer.send('<MSH|2>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2']);
  });

  it('row 6: the idle time ends a connection on which nothing is under way, and no other', async () => {
    const hand = byHand();
    const l = await listening({ limits: { idleMs: 40 } }, hand.respond);
    const idle = l.peer();
    const waiting = l.peer();
    waiting.send('<MSH|1>');
    await idle.ended();
    idle.socket.end();
    const { code } = faults.connectionIdle;
    await until(() => l.events.some((e) => e.fields.code === code), 'the event of the idle time');
    await sleep(60);
    hand.open[0]?.give();
    assert.deepEqual(await waiting.first(1), ['ok MSH|1']);
  });

  it('row 7: FS without CR, then VT: accepted with a warning when lenient', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1^<MSH|2>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2']);
    assert.deepEqual(l.seen(), ['MSH|1 !frameUnterminated', 'MSH|2']);
    assert.deepEqual(
      l.events.filter((e) => e.name === 'frame.fault').map((e) => e.fields.code),
      [faults.frameUnterminated.code],
    );
  });

  it('row 7: FS without CR, then VT: rejected when strict; the next frame counts', async () => {
    const l = await listening({ mode: 'strict' });
    const peer = l.peer();
    peer.send('<MSH|1^<MSH|2>');
    assert.deepEqual(await peer.first(2), ['AR frameUnterminated', 'ok MSH|2']);
    assert.deepEqual(l.seen(), ['frameUnterminated(MSH|1)', 'MSH|2']);
  });

  it('row 8: FS without CR, then silence: accepted after the grace time when lenient', async () => {
    const l = await listening({ limits: { graceMs: 20 } });
    const peer = l.peer();
    peer.send('<MSH|1^');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
    peer.send('\r<MSH|2>');
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'ok MSH|2']);
    assert.deepEqual(l.seen(), ['MSH|1 !frameUnterminated', 'MSH|2']);
  });

  it('row 8: FS without CR, then silence: times out when strict', async () => {
    const l = await listening({ mode: 'strict', limits: { graceMs: 10, inFrameMs: 50 } });
    const peer = l.peer();
    peer.send('<MSH|1^');
    assert.deepEqual(await peer.first(1), ['AR frameUnterminated']);
    await peer.ended();
    assert.deepEqual(l.seen(), ['frameUnterminated(MSH|1)']);
  });

  it('row 9: FS inside a payload ends nothing', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|a^b^^\nc>');
    await peer.first(1);
    assert.deepEqual(l.seen(), ['MSH|a^b^^\nc']);
  });

  it('row 10: VT inside a payload is kept', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|a_b_MS_');
    await sleep(10);
    peer.send('M_c>');
    await peer.first(1);
    assert.deepEqual(l.seen(), ['MSH|a_b_MS_M_c']);
  });

  it('row 11: a truncated frame before a new one is reported, then the second delivered', async () => {
    for (const start of ['MSH', 'FHS', 'BHS']) {
      const l = await listening();
      const peer = l.peer();
      peer.send(`<MSH|1 be<${start}|2>`);
      assert.deepEqual(await peer.first(2), ['AR frameCutShort', `ok ${start}|2`]);
      assert.deepEqual(l.seen(), ['frameCutShort(MSH|1 be)', `${start}|2`]);
    }
  });

  it('row 12: garbage before a frame, with VT and FS in it, is skipped and counted', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('GET / HTTP\r\n<x^y<MSH|1>');
    await peer.first(3);
    assert.deepEqual(l.seen(), ['frameGarbage(GET / HTTP\r\n)', 'frameGarbage(x^y)', 'MSH|1']);
  });

  it('row 13: newlines after a frame are no garbage', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1>\n<MSH|2>\r\n\r\n');
    await peer.first(2);
    peer.send('\n<MSH|3>');
    assert.deepEqual(await peer.first(3), ['ok MSH|1', 'ok MSH|2', 'ok MSH|3']);
    assert.deepEqual(l.seen(), ['MSH|1', 'MSH|2', 'MSH|3']);
  });

  it('row 14: bytes without VT are told from silence', async () => {
    const l = await listening({ limits: { graceMs: 20 } });
    const peer = l.peer();
    peer.send('MSH|^~\\&|A\r');
    await peer.first(1);
    assert.match(l.seen()[0] ?? '', /^frameNoStart\(MSH/);
    peer.send('<MSH|2>');
    assert.deepEqual(await peer.first(2), ['AR frameNoStart', 'ok MSH|2']);
  });

  it('rows 15, 16, 17, 19, 20, 24, 25, 40: any content passes through as it is', async () => {
    const contents = [
      '\xef\xbb\xbfMSH|^~\\&|',
      '\r\n\r\nMSH|^~\\&|',
      'MSH|^~\\&|\nPID|1\r\nPV1|',
      'not HL7 at all',
      'MSH|',
      'MSH|^~\\&|M\xfcller\xa4\x80\x9f|\x00\xff',
      '\xff\xfeM\x00S\x00H\x00|\x00',
      'FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&\rBTS|1\rFTS|1\r',
    ];
    const l = await listening();
    const peer = l.peer();
    for (const content of contents) {
      peer.socket.write(Buffer.concat([wire('<'), Buffer.from(content, 'latin1'), wire('>')]));
    }
    assert.deepEqual(
      await peer.first(contents.length),
      contents.map((content) => `ok ${content}`),
    );
  });

  it('row 18: an empty frame is reported, and the next message works', async () => {
    const l = await listening();
    const peer = l.peer();
    peer.send('<><MSH|1>');
    await peer.first(2);
    assert.deepEqual(l.seen(), ['frameEmpty()', 'MSH|1']);
  });

  it('row 21: a frame over the limit is reported and the connection closed', async () => {
    const l = await listening({ limits: { frameBytes: 1000 } });
    const peer = l.peer();
    peer.send(`<MSH|1><MSH|${'x'.repeat(100_000)}`);
    assert.deepEqual(await peer.first(2), ['ok MSH|1', 'AR frameTooLong']);
    await peer.ended();
    const broken = l.arrivals[1];
    assert.ok(broken?.kind === 'broken' && broken.bytes.length <= 1000);
  });

  it('row 21: an endless stream without VT is reported and closed', async () => {
    const l = await listening({ limits: { frameBytes: 100_000 } });
    const peer = l.peer();
    const chunk = Buffer.alloc(50_000, 'x');
    let pouring = true;
    const pour = (): void => {
      while (pouring && peer.socket.writable && peer.socket.write(chunk));
    };
    peer.socket.on('drain', pour);
    pour();
    assert.deepEqual(await peer.first(1), ['AR frameNoStart']);
    await peer.ended();
    pouring = false;
    const broken = l.arrivals[0];
    assert.ok(broken?.kind === 'broken' && broken.bytes.length <= 100_000);
    assert.equal(l.arrivals.length, 1);
  });

  it('row 22: a 20 MB frame and its 20 MB answer pass', async () => {
    const l = await listening({ limits: { frameBytes: 32_000_000 } });
    const peer = l.peer();
    const payload = Buffer.alloc(20_000_000, 'OBX|1|TX|||text\r');
    peer.socket.write(Buffer.concat([wire('<'), payload, wire('>')]));
    await until(() => peer.length() === payload.length + 6, 'the whole answer');
    assert.ok(peer.received().subarray(4, -2).equals(payload));
  });

  it('row 23: a character split across chunks stays whole', async () => {
    const l = await listening();
    const peer = l.peer();
    const bytes = Buffer.concat([wire('<'), Buffer.from('MSH|Zoë €'), wire('>')]);
    peer.socket.write(bytes.subarray(0, -4));
    await sleep(10);
    peer.socket.write(bytes.subarray(-4));
    await peer.first(1);
    const [arrival] = l.arrivals;
    assert.equal(arrival?.kind === 'message' && arrival.payload.toString(), 'MSH|Zoë €');
  });

  it('row 26: a peer that closes inside a frame leaves a report, never a message', async () => {
    const l = await listening();
    const closing = l.peer();
    closing.send('<MSH|1><MSH|2 be');
    closing.socket.end();
    assert.deepEqual(await closing.first(2), ['ok MSH|1', 'AR frameCutShort']);
    await closing.ended();

    const resetting = l.peer();
    resetting.send('<MSH|3 be');
    await until(() => l.peers.length === 2 && l.source.connections() === 1, 'the connection');
    await sleep(20);
    resetting.socket.resetAndDestroy();
    await until(() => l.arrivals.length === 3, 'the report');

    const again = l.peer();
    again.send('<MSH|3 beginning>');
    assert.deepEqual(await again.first(1), ['ok MSH|3 beginning']);
    assert.deepEqual(l.seen(), [
      'MSH|1',
      'frameCutShort(MSH|2 be)',
      'frameCutShort(MSH|3 be)',
      'MSH|3 beginning',
    ]);
  });

  it('row 26: a peer that resets after FS, before CR, leaves a report even when lenient', async () => {
    const l = await listening({ limits: { graceMs: 60_000 } });
    const peer = l.peer();
    peer.send('<MSH|0><MSH|1^');
    await peer.first(1);
    peer.socket.resetAndDestroy();
    await until(() => l.arrivals.length === 2, 'the report');
    assert.deepEqual(l.seen(), ['MSH|0', 'frameUnterminated(MSH|1)']);
  });

  it('row 27: a peer that resets before its answer leaves it undelivered', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const peer = l.peer();
    peer.send('<MSH|1><MSH|2>');
    await until(() => hand.open.length === 2, 'both messages');
    peer.socket.resetAndDestroy();
    await until(() => l.events.some((e) => e.name === 'connection.closed'), 'the close');
    hand.open[1]?.give();
    hand.open[0]?.give();
    await until(() => hand.settled.length === 2, 'both settled');
    assert.deepEqual(hand.settled, ['MSH|1 undelivered', 'MSH|2 undelivered']);
    await until(() => l.source.connections() === 0, 'the connection is gone');
  });

  it('row 30: connections over the limit are refused at once, the others unaffected', async () => {
    const l = await listening({ limits: { connections: 2 } });
    const first = l.peer();
    const second = l.peer();
    first.send('<MSH|1>');
    second.send('<MSH|2>');
    await first.first(1);
    await second.first(1);
    const third = l.peer();
    third.send('<MSH|3>');
    await third.ended();
    await until(() => l.events.some((e) => e.name === 'connection.refused'), 'the event');
    first.send('<MSH|4>');
    assert.deepEqual(await first.first(2), ['ok MSH|1', 'ok MSH|4']);
    second.socket.end();
    await until(() => l.source.connections() === 1, 'room again');
    const fourth = l.peer();
    fourth.send('<MSH|5>');
    assert.deepEqual(await fourth.first(1), ['ok MSH|5']);
  });

  it('row 30: a peer that sends a byte now and then is timed out, the others unaffected', async () => {
    const l = await listening({ limits: { inFrameMs: 80, graceMs: 60_000 } });
    const framed = l.peer();
    const unframed = l.peer();
    framed.send('<MSH');
    const drip = setInterval(() => [framed, unframed].forEach((p) => p.send('x')), 5);
    const good = l.peer();
    good.send('<MSH|1>');
    assert.deepEqual(await good.first(1), ['ok MSH|1']);
    assert.deepEqual(await framed.first(1), ['AR frameTimeout']);
    assert.deepEqual(await unframed.first(1), ['AR frameNoStart']);
    clearInterval(drip);
    good.send('<MSH|2>');
    assert.deepEqual(await good.first(2), ['ok MSH|1', 'ok MSH|2']);
  });

  it('row 31: a busy port is told, tried again, then opened', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await until(() => holder.listening, 'the port is held');
    const { port } = holder.address() as net.AddressInfo;
    const l = await listening({ port });
    assert.equal(l.source.state(), 'waiting');
    assert.deepEqual(
      l.events.map(({ name, fields }) => [name, fields.port, fields.code]),
      [['channel.portBusy', port, faults.portBusy.code]],
    );
    await sleep(150);
    assert.deepEqual([l.source.state(), l.events.length], ['waiting', 1]);
    holder.close();
    await until(() => l.source.state() === 'listening', 'the port is open');
    assert.equal(l.source.port(), port);
    const peer = l.peer();
    peer.send('<MSH|1>');
    assert.deepEqual(await peer.first(1), ['ok MSH|1']);
  });

  it('row 31: an address that is not ours is told at once', async () => {
    await assert.rejects(listening({ host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
  });

  it('row 31: a stop ends the trying', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await until(() => holder.listening, 'the port is held');
    const { port } = holder.address() as net.AddressInfo;
    const l = await listening({ port });
    await l.source.stop(0);
    const closed = new Promise((resolve) => holder.close(resolve));
    await closed;
    await sleep(150);
    assert.deepEqual([l.source.state(), l.source.port()], ['closed', undefined]);
  });

  it('answers messages to come by other settings, on old connections and new', async () => {
    const l = await listening();
    const before = l.peer();
    before.send('<MSH|1>');
    await before.first(1);
    const hand = byHand();
    l.change({ channel: 'other', limits: { frameBytes: 10, connections: 2 } }, hand.respond);
    const after = l.peer();
    before.send('<MSH|2>');
    after.send('<MSH|3 is too long>');
    await until(() => hand.open.length === 2, 'both messages');
    assert.ok(hand.open.some(({ text }) => text === 'MSH|2'));
    assert.deepEqual(l.seen(), ['MSH|1']);
    const opened = l.events.filter(({ name }) => name === 'connection.opened');
    assert.deepEqual(
      opened.map(({ fields }) => fields.channel),
      ['test', 'other'],
    );
    const third = l.peer();
    await third.ended();
    for (const one of hand.open) one.give();
  });

  it('tells how each connection stands', async () => {
    const hand = byHand();
    const l = await listening({}, hand.respond);
    const states = () =>
      l.source.standing().map(({ state, messages, open }) => [state, messages, open]);
    const peer = l.peer();
    await until(() => l.source.connections() === 1, 'connected');
    assert.deepEqual(states(), [['quiet', 0, 0]]);
    peer.send('<MSH|1');
    await until(() => states()[0]?.[0] === 'receiving', 'a frame has begun');
    peer.send('>');
    await until(() => states()[0]?.[0] === 'answering', 'the message is worked on');
    assert.deepEqual(states(), [['answering', 1, 1]]);
    hand.open[0]?.give();
    await peer.first(1);
    assert.deepEqual(states(), [['quiet', 1, 0]]);
  });

  it('a peer that does not read its answers is deaf, then cut', async () => {
    const answer = Buffer.alloc(16 * 1024 * 1024, 'x');
    const l = await listening({ limits: { inFrameMs: 300, graceMs: 40 } }, async () => {
      return { payload: answer, settled: () => {} };
    });
    const peer = l.peer();
    peer.socket.pause();
    peer.send('<MSH|1>');
    await until(() => l.source.standing()[0]?.state === 'deaf', 'it is found deaf');
    await until(() => l.source.connections() === 0, 'it is cut');
  });

  it('a connection is probed while it is silent, so that a peer that vanished is cut', async function () {
    if (!existsSync('/proc/net/tcp')) this.skip();
    const l = await listening();
    const peer = l.peer();
    peer.send('<MSH|1>');
    await peer.first(1);
    // Linux, proc_net_tcp: local and remote address; timer 02 is that of keepalive, in 1/100 s.
    const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
    const local = (peer.socket.address() as net.AddressInfo).port;
    const ours = new RegExp(`:${hex(l.port)} \\w+:${hex(local)} 01 \\w+:\\w+ (\\w\\w):(\\w+)`);
    const probed = () => ours.exec(readFileSync('/proc/net/tcp', 'latin1')) ?? [];
    await until(() => probed()[1] === '02', 'the timer runs');
    const hundredths = Number.parseInt(probed()[2] ?? '', 16);
    assert.ok(hundredths > 0 && hundredths <= 6000, String(hundredths));
  });
});
