/** The outside of a listener: peers that speak raw bytes, and a listener that keeps what it got. */
import net from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { EventFields, EventName } from '../../engine/events.ts';
import type { Arrival, Peer, Respond, Response } from '../../engine/mllp/mllp.ts';
import { createSource } from '../../engine/mllp/source.ts';
import type { Source, SourceLimits, SourceOptions } from '../../engine/mllp/listener.ts';

/** Short notation for bytes: `<` VT, `>` FS CR, `^` FS alone, `_` VT inside. */
export function wire(text: string): Buffer {
  const marks: Record<string, string> = { '<': '\x0b', '>': '\x1c\r', '^': '\x1c', _: '\x0b' };
  return Buffer.from(
    text.replace(/[<>^_]/g, (mark) => marks[mark] ?? ''),
    'latin1',
  );
}

/** Wait until something observed from outside holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const started = Date.now(); !holds();) {
    if (Date.now() - started > 8000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface RawPeer {
  socket: Socket;
  /** Bytes in the notation of `wire`. */
  send(text: string): void;
  received(): Buffer;
  /** Bytes received. */
  length(): number;
  /** Payloads of the whole frames received so far. */
  answers(): string[];
  /** The first `count` answers, once they are there. */
  first(count: number): Promise<string[]>;
  /** Resolves when the other side has closed. */
  ended(): Promise<void>;
}

export function rawPeer(socket: Socket): RawPeer {
  const chunks: Buffer[] = [];
  let over = false;
  let length = 0;
  let ends = 0;
  let lastWasFs = false;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (lastWasFs && chunk[0] === 0x0d) ends++;
    for (let at = chunk.indexOf('\x1c\r'); at !== -1; at = chunk.indexOf('\x1c\r', at + 2)) ends++;
    lastWasFs = chunk.at(-1) === 0x1c;
  });
  socket.on('end', () => (over = true));
  socket.on('close', () => (over = true));
  socket.on('error', () => {});
  const received = () => Buffer.concat(chunks);
  const answers = () =>
    received()
      .toString('latin1')
      .split('\x1c\r')
      .slice(0, -1)
      .map((framed) => framed.replace(/^\x0b/, ''));
  return {
    socket,
    send: (text) => void socket.write(wire(text)),
    received,
    length: () => length,
    answers,
    async first(count) {
      await until(() => ends >= count || over, `${count} answers`);
      return answers().slice(0, count);
    },
    ended: () => until(() => over, 'the other side closes'),
  };
}

/** A listener that answers `ok PAYLOAD`, or `AR FAULT` to what is broken. */
export interface Listening {
  port: number;
  source: Source;
  /** Use other settings from now on. */
  change(options: Partial<SourceOptions>, respond?: Respond): void;
  arrivals: Arrival[];
  peers: Peer[];
  /** `PAYLOAD delivered`, `PAYLOAD undelivered`, in the order in which they were settled. */
  settled: string[];
  events: { name: EventName; fields: EventFields }[];
  /** Arrivals in short: the payload, or `fault:bytes+dropped`. */
  seen(): string[];
  peer(options?: net.TcpNetConnectOpts): RawPeer;
  tlsPeer(options: ConnectionOptions): RawPeer;
}

const started: { source: Source; sockets: Socket[] }[] = [];

/** Release every port and socket a test opened. */
export async function closeAll(): Promise<void> {
  for (const { source, sockets } of started.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await source.stop(0);
  }
}

export async function listening(
  options: Partial<Omit<SourceOptions, 'limits'>> & { limits?: Partial<SourceLimits> } = {},
  respond?: Respond,
): Promise<Listening> {
  const arrivals: Arrival[] = [];
  const peers: Peer[] = [];
  const settled: string[] = [];
  const events: Listening['events'] = [];
  const sockets: Socket[] = [];
  const answer: Respond = async (arrival) => {
    const text =
      arrival.kind === 'message'
        ? Buffer.concat([Buffer.from('ok '), arrival.payload])
        : Buffer.from(`AR ${arrival.fault}`);
    const name = text.subarray(0, 40).toString('latin1');
    return { payload: text, settled: (outcome) => void settled.push(`${name} ${outcome}`) };
  };
  const told: SourceOptions = {
    channel: 'test',
    host: '127.0.0.1',
    port: 0,
    mode: 'lenient',
    ...options,
  };
  const recording: Respond = (arrival, peer, interim) => {
    arrivals.push(arrival);
    peers.push(peer);
    return (respond ?? answer)(arrival, peer, interim);
  };
  const source = createSource(told, recording, (name, fields = {}) =>
    events.push({ name, fields }),
  );
  started.push({ source, sockets });
  await source.listen();
  const open = (socket: Socket): RawPeer => {
    sockets.push(socket);
    return rawPeer(socket);
  };
  const port = source.port() ?? options.port ?? 0;
  return {
    port,
    source,
    change: (more, other = recording) => source.prepare({ ...told, ...more }, other)(),
    arrivals,
    peers,
    settled,
    events,
    seen: () => arrivals.map(inShort),
    peer: (more) =>
      open(net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true, ...more })),
    tlsPeer: (more) => open(tls.connect({ host: '127.0.0.1', port, ...more })),
  };
}

/** A responder whose answers are given by hand, in any order. */
export function byHand() {
  const open: {
    text: string;
    give(response?: Partial<Response>): void;
    interim(payload: string): void;
    fail(): void;
  }[] = [];
  const settled: string[] = [];
  const respond: Respond = (arrival, _peer, interim) =>
    new Promise((resolve, reject) => {
      const bytes = arrival.kind === 'message' ? arrival.payload : arrival.bytes;
      const text = bytes.toString('latin1');
      open.push({
        text,
        give: (response = {}) =>
          resolve({
            payload: Buffer.from(`ok ${text}`),
            settled: (outcome) => void settled.push(`${text} ${outcome}`),
            ...response,
          }),
        interim: (payload) => interim(Buffer.from(payload)),
        fail: () => reject(new Error(`about ${text}`)),
      });
    });
  return { open, settled, respond };
}

/** An arrival in the notation of `wire`. */
export function inShort(arrival: Arrival): string {
  const bytes = arrival.kind === 'message' ? arrival.payload : arrival.bytes;
  const text = bytes
    .toString('latin1')
    .replaceAll('\x1c\r', '>')
    .replaceAll('\x1c', '^')
    .replaceAll('\x0b', '_');
  if (arrival.kind === 'message') return [text, ...arrival.warnings].join(' !');
  return `${arrival.fault}(${text}${arrival.dropped > 0 ? `+${arrival.dropped}` : ''})`;
}
