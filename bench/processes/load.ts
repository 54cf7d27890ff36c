/**
 * The load: one message in flight on each connection, each with a control id of its own, each
 * answer held to it. A process of its own, and as cheap as sockets allow: one frame per connection
 * is overwritten and sent again, answers are read into one buffer, nothing is parsed.
 */
import { type Socket, connect } from 'node:net';
import { type RecordableHistogram, createHistogram } from 'node:perf_hooks';
import { type Kind, template } from '../samples.ts';
import { answerRequests } from './requests.ts';

export interface LoadRequest {
  port: number;
  message: Kind;
  connections: number;
  warmUpMs: number;
  measureMs: number;
  /** A new connection for each message, for servers that cannot keep one. */
  reconnect?: boolean;
}

export interface LoadResult {
  /** Right answers, with those of the warm-up. */
  answered: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** What went wrong first; then the figures mean nothing. */
  failure?: string;
}

/** An answer that takes longer is a lost message. */
const patienceMs = 5000;
const FS = 0x1c;
const CR = 0x0d;
const bar = 0x7c;
const positive = Buffer.from('\rMSA|AA|');
const zero = 0x30;
const nine = 0x39;

/** One measurement, as its conversations share it. */
interface Trial extends LoadRequest {
  latency: RecordableHistogram;
  from: number;
  until: number;
  /** Right answers, with those of the warm-up; and those that count. */
  answered: number;
  measured: number;
  failure?: string;
}

let conversations = 0;

answerRequests<LoadRequest, LoadResult>(async (request) => {
  const trial: Trial = {
    ...request,
    latency: createHistogram({ figures: 3 }),
    from: Infinity,
    until: Infinity,
    answered: 0,
    measured: 0,
  };
  const talks = Array.from({ length: request.connections }, () => converse(trial));
  await Promise.all(talks.map((talk) => talk.connected));
  trial.from = performance.now() + request.warmUpMs;
  trial.until = trial.from + request.measureMs;
  await Promise.all(talks.map((talk) => talk.run()));
  const { latency, answered, measured, failure } = trial;
  return {
    answered,
    perSecond: (measured * 1000) / request.measureMs,
    p50: latency.percentile(50) / 1e6,
    p99: latency.percentile(99) / 1e6,
    failure,
  };
});

function converse(trial: Trial) {
  const { frame, controlId, patient, expects } = template(trial.message);
  const base36 = (value: number, width: number) => value.toString(36).padStart(width, '0');
  const stem = `B${base36(process.pid % 46656, 3)}${base36(conversations++, 4)}`.toUpperCase();
  frame.write(stem.padEnd(controlId.length, '0'), controlId.at, 'latin1');
  if (patient) frame.write('000000', patient.at, 'latin1');
  const expected = expects === undefined ? undefined : Buffer.from(expects);
  const room = Buffer.allocUnsafeSlow(65536);
  let held = Buffer.alloc(0);
  let socket: Socket | undefined;
  let sentAt = 0;
  let inFlight = false;
  let ended = (): void => {};
  const connected = open();

  function open(): Promise<void> {
    return new Promise((ready) => {
      const onread = { buffer: room, callback: received };
      const opened = connect({ port: trial.port, host: '127.0.0.1', noDelay: true, onread });
      socket = opened;
      opened.once('connect', ready);
      opened.on('error', () => {});
      opened.on('close', () => {
        if (opened !== socket) return;
        fail('the server closed the connection');
        ready();
      });
    });
  }

  /** One chunk of an answer. The buffer is reused: what stands behind `length` is of earlier ones. */
  function received(length: number, bytes: Uint8Array): boolean {
    const chunk = bytes as Buffer;
    if (held.length === 0) {
      if (chunk[length - 1] === CR && chunk[length - 2] === FS) answered(chunk, length);
      else held = Buffer.from(chunk.subarray(0, length));
    } else {
      held = Buffer.concat([held, chunk.subarray(0, length)]);
      if (held[held.length - 1] === CR && held[held.length - 2] === FS) {
        const whole = held;
        held = Buffer.alloc(0);
        answered(whole, whole.length);
      }
    }
    return true;
  }

  function answered(answer: Buffer, length: number): void {
    const now = performance.now();
    const at = answer.indexOf(positive) + positive.length;
    const { at: start, length: size } = controlId;
    if (!inFlight) return fail('an answer came that nobody waited for');
    inFlight = false;
    if (at < positive.length || at + size > length) return fail('the answer is not positive');
    const next = answer[at + size];
    const same = answer.compare(frame, start, start + size, at, at + size) === 0;
    const whole = next === CR || next === FS || next === bar;
    if (!same || !whole) return fail('MSA-2 names another message');
    if (expected !== undefined && !answer.includes(expected)) return fail('the answer is not OK');
    trial.answered++;
    if (now >= trial.from && now < trial.until) {
      trial.measured++;
      trial.latency.record(Math.max(1, Math.round((now - sentAt) * 1e6)));
    }
    if (now >= trial.until || trial.failure !== undefined) return ended();
    count(controlId.at, controlId.length);
    if (patient) count(patient.at, patient.length);
    if (trial.reconnect) void again();
    else send();
  }

  /** Add one to the decimal digits that end at a place of the frame. */
  function count(at: number, length: number): void {
    let digit = at + length - 1;
    while (frame[digit] === nine && digit > at) frame[digit--] = zero;
    frame[digit] = (frame[digit] ?? zero) + 1;
  }

  function send(): void {
    sentAt = performance.now();
    inFlight = true;
    socket?.write(frame);
  }

  async function again(): Promise<void> {
    const old = socket;
    sentAt = performance.now();
    const opened = open();
    // A reset leaves no port behind in TIME_WAIT: there are only some ten thousands of them.
    old?.resetAndDestroy();
    await opened;
    const since = sentAt;
    send();
    sentAt = since;
  }

  function fail(reason: string): void {
    trial.failure ??= `${reason}, after ${trial.answered} right answers`;
    ended();
  }

  /** Send and wait for answers until the time is over. */
  async function run(): Promise<void> {
    const over = new Promise<void>((resolve) => (ended = resolve));
    const watch = setInterval(() => {
      if (trial.failure !== undefined) ended();
      else if (inFlight && performance.now() - sentAt > patienceMs) fail('an answer never came');
    }, 100);
    if (trial.failure === undefined) send();
    else ended();
    await over;
    clearInterval(watch);
    const last = socket;
    socket = undefined;
    last?.destroy();
  }

  return { connected, run };
}
