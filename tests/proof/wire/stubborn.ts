/**
 * Hospital systems behind a network that fails: each has one message in flight, and whatever
 * happens it connects again and sends the same bytes until exactly that message is acknowledged.
 */
import { type Socket, connect } from 'node:net';
import { adt } from '../samples.ts';

export interface Stubborn {
  readonly acknowledged: ReadonlySet<string>;
  /** Answers that no network can have made of right ones. */
  readonly wrong: readonly string[];
  /** How often a message was written, again or not. */
  sends(): number;
  /** Send no further message; resolves when what is under way has been acknowledged. */
  finish(): Promise<void>;
  close(): void;
}

/** How long an answer is waited for. */
const patienceMs = 1500;

export function startStubborn(count: number, port: number): Stubborn {
  const acknowledged = new Set<string>();
  const sockets = new Set<Socket>();
  let sends = 0;
  let busy = count;
  let closed = false;
  let finishing = false;
  let whenIdle = (): void => {};

  function start(name: string): void {
    let number = 0;
    let socket: Socket | undefined;
    let patience: NodeJS.Timeout | undefined;
    const id = (): string => `${name}${number}`;

    function send(): void {
      clearTimeout(patience);
      patience = setTimeout(() => socket?.destroy(), patienceMs);
      sends += 1;
      socket?.write(`\x0b${adt(id())}\x1c\r`, 'latin1');
    }

    function answered(frame: string): void {
      const [, code = '', of] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(frame) ?? [];
      if (of !== id()) return void socket?.destroy();
      if (code !== 'AA' && code !== 'CA') return void setTimeout(send, 20);
      acknowledged.add(id());
      number += 1;
      if (!finishing) return send();
      clearTimeout(patience);
      done = true;
      socket?.destroy();
      busy -= 1;
      if (busy === 0) whenIdle();
    }

    let done = false;
    function open(): void {
      if (done || closed) return;
      let held = '';
      const mine = connect({ port, host: '127.0.0.1', noDelay: true }, send);
      socket = mine;
      sockets.add(mine);
      mine.on('error', () => {});
      mine.on('close', () => {
        sockets.delete(mine);
        clearTimeout(patience);
        setTimeout(open, 5);
      });
      mine.on('data', (chunk) => {
        held += chunk.toString('latin1');
        for (let end = held.indexOf('\x1c\r'); end >= 0; end = held.indexOf('\x1c\r')) {
          const frame = held.slice(0, end);
          held = held.slice(end + 2);
          if (!mine.destroyed) answered(frame);
        }
      });
    }
    open();
  }

  for (let n = 0; n < count; n++) start(`S${n}-`);
  return {
    acknowledged,
    wrong: [],
    sends: () => sends,
    finish() {
      finishing = true;
      return new Promise((resolve) => {
        whenIdle = resolve;
        if (busy === 0) resolve();
      });
    },
    close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
