/** Hospital systems that send at a given rate, over connections that stay open. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface PacedOptions {
  port: number;
  connections: number;
  /** Starts the control ids: `H3-17` is the 18th message of the fourth connection. */
  name: string;
  build(id: string): string;
  /** Messages a second; as many as are answered unless told. */
  rate?: number;
}

export interface Paced {
  /** How many messages were acknowledged positively, by the part of their id before the number. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** All of them. */
  count(): number;
  /** Answers other than a positive one, and connections that ended. */
  readonly wrong: readonly string[];
  /** Resolves when what is under way has been answered; hangs up then. */
  finish(): Promise<void>;
}

const tickMs = 50;

export function startPaced(options: PacedOptions): Paced {
  const { port, connections, name, build, rate } = options;
  const acknowledged = new Map<string, number>();
  const wrong: string[] = [];
  const idle: (() => void)[] = [];
  const sockets: Socket[] = [];
  let credit = rate === undefined ? Infinity : 0;
  let finishing = false;
  let whenIdle = (): void => {};
  let all = 0;

  function pump(): void {
    while (!finishing && credit >= 1) {
      const send = idle.shift();
      if (!send) break;
      credit -= 1;
      send();
    }
    if (finishing && idle.length === connections) whenIdle();
  }

  function open(of: string): void {
    let number = 0;
    let held = '';
    const id = (): string => `${of}-${number}`;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    acknowledged.set(of, 0);
    const ready = (): void => {
      idle.push(() => socket.write(`\x0b${build(id())}\x1c\r`));
      pump();
    };
    socket.on('connect', ready);
    socket.on('error', ({ message }) => wrong.push(message));
    socket.on('close', () => finishing || wrong.push('a connection was closed'));
    socket.setEncoding('latin1').on('data', (text: string) => {
      held += text;
      if (!held.endsWith('\x1c\r')) return;
      const [, code = '', msa2] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(held) ?? [];
      held = '';
      if (code === 'AA' && msa2 === id()) {
        number += 1;
        all += 1;
        acknowledged.set(of, number);
      } else wrong.push(`${id()} was answered with ${code} for ${msa2}`);
      ready();
    });
  }

  for (let n = 0; n < connections; n++) open(`${name}${n}`);
  const pace = setInterval(() => {
    if (rate === undefined) return;
    // What could not be sent in its time is made up for, within a second.
    credit = Math.min(rate, credit + (rate * tickMs) / 1000);
    pump();
  }, tickMs);
  return {
    acknowledged,
    count: () => all,
    wrong,
    async finish() {
      clearInterval(pace);
      finishing = true;
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
        pump();
      });
      for (const socket of sockets) socket.destroy();
    },
  };
}
