/**
 * A network that fails: it stands between two systems, knows where their frames end, and does to
 * each frame, by chance, what networks and broken peers do. It never changes a byte inside of one,
 * for MLLP has no checksum that could tell.
 */
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { type Random, oneOf, wholeBetween } from '../part.ts';
import { acknowledgement } from '../samples.ts';

/** What is done to a frame; each is named in the report. */
export const frameFaults = {
  delayed: 'it comes some milliseconds late',
  split: 'it comes in pieces',
  joined: 'it comes together with the next one',
  truncated: 'its beginning comes, and then the connection is reset',
  'reset before': 'the connection is reset in its place',
  'reset after': 'it comes, and the connection is reset',
  doubled: 'it comes twice',
  'after garbage': 'bytes that are no frame come before it',
  swapped: 'it is lost, and its sender gets an acknowledgement of something else',
} as const;
export type FrameFault = keyof typeof frameFaults;

export interface ProxyOptions {
  random: Random;
  /** Where the frames go. */
  port: number;
  /** Of a thousand frames, how many meet each fault. */
  requests: Partial<Record<FrameFault, number>>;
  replies: Partial<Record<FrameFault, number>>;
}

export interface Proxy {
  port: number;
  /** How often each fault was made. */
  readonly made: ReadonlyMap<FrameFault, number>;
  /** No more faults from now on. */
  calm(): void;
  close(): Promise<void>;
}

/** One direction of one connection. */
interface Way {
  from: Socket;
  to: Socket;
  faults: Partial<Record<FrameFault, number>>;
  reset(): void;
}

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { random } = options;
  const made = new Map<FrameFault, number>();
  const sockets = new Set<Socket>();
  let calm = false;

  const server = net.createServer({ noDelay: true }, (client) => {
    const target = net.connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    const reset = (): void => [client, target].forEach((one) => one.resetAndDestroy());
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        // What is still held back must not arrive after its sender has given up.
        client.destroy();
        target.destroy();
      });
    }
    carry({ from: client, to: target, faults: options.requests, reset });
    carry({ from: target, to: client, faults: options.replies, reset });
  });

  /** Pass the frames of one direction on, one after the other. */
  function carry(way: Way): void {
    let held = '';
    let before: Promise<void> = Promise.resolve();
    way.from.on('data', (chunk) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\x1c\r'); end >= 0; end = held.indexOf('\x1c\r')) {
        const frame = held.slice(0, end + 2);
        held = held.slice(end + 2);
        before = before.then(() => pass(frame, way));
      }
    });
  }

  async function pass(frame: string, way: Way): Promise<void> {
    const fault = calm ? undefined : faultFor(way.faults);
    if (fault) made.set(fault, (made.get(fault) ?? 0) + 1);
    switch (fault) {
      case undefined:
        return write(way.to, frame);
      case 'delayed':
        await rest(wholeBetween(random, 1, 60));
        return write(way.to, frame);
      case 'split':
        for (let at = 0; at < frame.length;) {
          const to = at + wholeBetween(random, 1, 400);
          write(way.to, frame.slice(at, to));
          at = to;
          await rest(wholeBetween(random, 0, 2));
        }
        return;
      case 'joined':
        // Nagle, by hand: what comes within this time leaves in one piece.
        way.to.cork();
        write(way.to, frame);
        setTimeout(() => way.to.uncork(), 15);
        return;
      case 'truncated':
        write(way.to, frame.slice(0, wholeBetween(random, 1, frame.length - 2)));
        await rest(2);
        return way.reset();
      case 'reset before':
        return way.reset();
      case 'reset after':
        write(way.to, frame);
        await rest(wholeBetween(random, 0, 3));
        return way.reset();
      case 'doubled':
        return write(way.to, frame + frame);
      case 'after garbage':
        return write(
          way.to,
          oneOf(random, ['\x00\xff', 'GET / ', '\r\n\r\n', '\x1c', '\r']) + frame,
        );
      case 'swapped':
        return write(way.from, acknowledgement(oneOf(random, ['S0-0', 'nobody', '', 'S1-1'])));
    }
  }

  function faultFor(faults: Partial<Record<FrameFault, number>>): FrameFault | undefined {
    let left = random() * 1000;
    for (const [name, often] of Object.entries(faults)) {
      left -= often;
      if (left < 0) return name as FrameFault;
    }
    return undefined;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    made,
    calm: () => void (calm = true),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function write(to: Socket, text: string): void {
  if (to.writable) to.write(text, 'latin1');
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
