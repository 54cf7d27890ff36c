/**
 * The hospital system that messages are delivered to. It outlives every Gatehouse under trial and
 * remembers each arrival: what came, how often, in which order, and what it accepted.
 */
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { acknowledgement, adt, controlIdOf, keyOf } from './samples.ts';

/**
 * `accept`: AA. `foreign`: it keeps nothing and gives the acknowledgement of another message.
 * `silence`: it keeps nothing and says nothing. A number: AA after so many milliseconds.
 */
export type Reaction = 'accept' | 'foreign' | 'silence' | number;

export interface Receiver {
  port: number;
  /** How often each message arrived, whatever was said to it, by control id. */
  readonly arrivals: ReadonlyMap<string, number>;
  /** Control ids in the order in which they arrived, by key. */
  readonly order: ReadonlyMap<string, readonly string[]>;
  /** Messages that were kept and acknowledged. */
  readonly accepted: ReadonlySet<string>;
  /** Messages that did not arrive as they were sent. */
  readonly altered: readonly string[];
  /** What to do with the next messages. */
  react: (id: string) => Reaction;
  /** Forget everything: what comes now belongs to another journal. */
  clear(): void;
  close(): Promise<void>;
}

/** @param build the message that was sent with a control id */
export async function startReceiver(build: (id: string) => string = adt): Promise<Receiver> {
  const arrivals = new Map<string, number>();
  const order = new Map<string, string[]>();
  const accepted = new Set<string>();
  const altered: string[] = [];
  const sockets = new Set<Socket>();
  let previous = 'NONE';

  function arrived(message: string, socket: Socket): void {
    const id = controlIdOf(message);
    if (message !== build(id)) altered.push(id);
    arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
    const key = keyOf(id);
    const sameKey = order.get(key);
    if (sameKey === undefined) order.set(key, [id]);
    else sameKey.push(id);
    const reaction = receiver.react(id);
    if (reaction === 'accept') accept(id, socket);
    else if (reaction === 'foreign') socket.write(acknowledgement(previous));
    else if (reaction !== 'silence') setTimeout(() => accept(id, socket), reaction);
    previous = id;
  }

  function accept(id: string, socket: Socket): void {
    accepted.add(id);
    if (socket.writable) socket.write(acknowledgement(id));
  }

  const server = net.createServer({ noDelay: true }, (socket) => {
    let held = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\x1c\r'); end >= 0; end = held.indexOf('\x1c\r')) {
        const message = held.slice(1, end);
        held = held.slice(end + 2);
        arrived(message, socket);
      }
    });
  });
  const receiver: Receiver = {
    port: 0,
    arrivals,
    order,
    accepted,
    altered,
    react: () => 'accept',
    clear() {
      for (const all of [arrivals, order, accepted]) all.clear();
      altered.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.port = (server.address() as AddressInfo).port;
  return receiver;
}
