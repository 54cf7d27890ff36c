/** A hospital system that messages are delivered to: raw bytes, and it does as it is told. */
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';

/** What it does with a message: bytes to write, nothing, or a way to hang up. */
export type Reaction = Buffer | string | 'silence' | 'reset' | 'close';

export interface Receiver {
  port: number;
  /** Every message that arrived, in order. */
  messages: Message[];
  /** Their control ids. */
  ids(): string[];
  /** What to do with the next messages. */
  react: (message: Message) => Reaction;
  /** Connections accepted so far. */
  accepted: number;
  sockets: Set<Socket>;
  /** Resolves once so many messages have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A framed acknowledgement. */
export function acknowledge(message: Message, code = 'AA', id = message.get('MSH-10')): string {
  const of = message.get('MSH-10');
  return `\x0bMSH|^~\\&|EPR|R0A|GATEHOUSE|RECGW|20260604101500||ACK|K${of}|P|2.4\rMSA|${code}|${id}\r\x1c\r`;
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const server = net.createServer((socket) => {
    receiver.accepted += 1;
    receiver.sockets.add(socket);
    let held = '';
    socket.on('error', () => {});
    socket.on('close', () => receiver.sockets.delete(socket));
    socket.on('data', (chunk) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\x1c\r'); end >= 0; end = held.indexOf('\x1c\r')) {
        const message = parseMessage(Buffer.from(held.slice(1, end), 'latin1'));
        held = held.slice(end + 2);
        receiver.messages.push(message);
        const reaction = receiver.react(message);
        if (reaction === 'reset') socket.resetAndDestroy();
        else if (reaction === 'close') socket.end();
        else if (reaction !== 'silence') socket.write(reaction);
      }
    });
  });
  const receiver: Receiver = {
    port: 0,
    messages: [],
    ids: () => receiver.messages.map((message) => message.get('MSH-10') ?? ''),
    react: (message) => acknowledge(message),
    accepted: 0,
    sockets: new Set(),
    async arrived(count) {
      for (const started = Date.now(); receiver.messages.length < count;) {
        if (Date.now() - started > 8000) {
          throw new Error(`${receiver.messages.length} of ${count} messages arrived`);
        }
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of receiver.sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  receiver.port = (server.address() as AddressInfo).port;
  return receiver;
}
