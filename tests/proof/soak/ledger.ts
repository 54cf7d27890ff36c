/**
 * The receiver of the soak. Millions of messages come, so it keeps none of them: of each connection
 * that sends it knows which one must come next, for a connection's messages are of one key.
 */
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { acknowledgement, controlIdOf } from '../samples.ts';

export interface Ledger {
  port: number;
  /** How many messages of each sending connection have come, all up to there. */
  readonly arrived: ReadonlyMap<string, number>;
  /** All of them. */
  count(): number;
  /** Ids of messages that came again, each time. */
  readonly again: readonly string[];
  /** What came out of order, or otherwise than it was sent. */
  readonly wrong: readonly string[];
  close(): Promise<void>;
}

/** The sending connection of a message, which is its key, too, and its number. */
export function placeOf(id: string): [of: string, number: number] {
  const at = id.lastIndexOf('-');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

export async function startLedger(build: (id: string) => string): Promise<Ledger> {
  const arrived = new Map<string, number>();
  const again: string[] = [];
  const wrong: string[] = [];
  const sockets = new Set<Socket>();
  let all = 0;

  function take(message: string): string {
    const id = controlIdOf(message);
    const [of, number] = placeOf(id);
    const expected = arrived.get(of) ?? 0;
    if (message !== build(id)) wrong.push(`${id} came otherwise than it was sent`);
    if (number < expected) again.push(id);
    else if (number > expected) wrong.push(`${id} came before ${of}-${expected}`);
    else {
      arrived.set(of, expected + 1);
      all += 1;
    }
    return id;
  }

  const server = net.createServer({ noDelay: true }, (socket) => {
    let held = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (text: string) => {
      held += text;
      for (let end = held.indexOf('\x1c\r'); end >= 0; end = held.indexOf('\x1c\r')) {
        const message = held.slice(1, end);
        held = held.slice(end + 2);
        socket.write(acknowledgement(take(message)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arrived,
    count: () => all,
    again,
    wrong,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
