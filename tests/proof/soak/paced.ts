/** Hospital systems that send at a given rate, over connections that stay open. */
import { type Socket, connect } from 'node:net';

export interface PacedOptions {
  port: number;
  connections: number;
  /** Starts the control ids. */
  name: string;
  build(id: string): string;
  /** Messages a second; as many as are answered unless told. */
  rate?: number;
}

export interface Paced {
  readonly acknowledged: ReadonlySet<string>;
  /** Answers other than a positive one, and connections that ended. */
  readonly wrong: readonly string[];
  /** Resolves when what is under way has been answered; hangs up then. */
  finish(): Promise<void>;
}

const tickMs = 50;

export function startPaced(options: PacedOptions): Paced {
  const { port, connections, name, build, rate } = options;
  const acknowledged = new Set<string>();
  const wrong: string[] = [];
  const idle: (() => void)[] = [];
  const sockets: Socket[] = [];
  let number = 0;
  let credit = rate === undefined ? Infinity : 0;
  let finishing = false;
  let whenIdle = (): void => {};

  function pump(): void {
    while (!finishing && credit >= 1) {
      const send = idle.pop();
      if (!send) break;
      credit -= 1;
      send();
    }
    if (finishing && idle.length === connections) whenIdle();
  }

  function open(): void {
    let id = '';
    let held = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    const ready = (): void => {
      idle.push(() => {
        id = `${name}${number++}`;
        socket.write(`\x0b${build(id)}\x1c\r`);
      });
      pump();
    };
    socket.on('connect', ready);
    socket.on('error', ({ message }) => wrong.push(message));
    socket.on('close', () => finishing || wrong.push('a connection was closed'));
    socket.setEncoding('latin1').on('data', (text: string) => {
      held += text;
      if (!held.endsWith('\x1c\r')) return;
      const [, code = '', of] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(held) ?? [];
      held = '';
      if (code === 'AA' && of === id) acknowledged.add(id);
      else wrong.push(`${id} was answered with ${code} for ${of}`);
      ready();
    });
  }

  for (let n = 0; n < connections; n++) open();
  const pace = setInterval(() => {
    if (rate === undefined) return;
    // What could not be sent in its time is made up for, within a second.
    credit = Math.min(rate, credit + (rate * tickMs) / 1000);
    pump();
  }, tickMs);
  return {
    acknowledged,
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
