/**
 * Hospital systems that send: each has one message in flight and sends the same bytes again until it
 * is acknowledged positively, over as many lives of the server as that takes.
 */
import { type Socket, connect } from 'node:net';

export interface SendersOptions {
  count: number;
  /** Starts the control ids; unique in one journal. */
  name: string;
  /** The message with a control id. */
  build(id: string): string;
  /** How long one waits before it sends again what was refused. 20 ms. */
  againMs?: number;
}

export interface Senders {
  /** Control ids of the messages that were acknowledged positively (AA or CA). */
  readonly acknowledged: ReadonlySet<string>;
  /** How often each other acknowledgement was given: AE, AR, CE, CR. */
  readonly refused: ReadonlyMap<string, number>;
  /** Answers that belong to another message, or that nobody can read. */
  readonly wrong: readonly string[];
  /** Connect to a port of this machine and go on where the last connection ended. */
  start(port: number): void;
  /** Hang up, whatever is under way. */
  cut(): void;
  /** Send no further message; resolves when what is under way has been acknowledged. */
  finish(): Promise<void>;
  /** Go on after `finish`. */
  resume(): void;
}

export function createSenders(options: SendersOptions): Senders {
  const acknowledged = new Set<string>();
  const refused = new Map<string, number>();
  const wrong: string[] = [];
  const all = Array.from({ length: options.count }, (_, n) => createSender(`${options.name}${n}-`));
  let finishing = false;
  let whenIdle: (() => void)[] = [];

  function createSender(name: string) {
    let number = 0;
    let id = '';
    let bytes = '';
    let idle = true;
    let socket: Socket | undefined;

    function next(): void {
      id = `${name}${number++}`;
      bytes = `\x0b${options.build(id)}\x1c\r`;
      idle = false;
    }

    function answered(frame: string): void {
      const [, code = '', msa2] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(frame) ?? [];
      if (msa2 !== id) {
        wrong.push(`the answer to ${id} was for ${msa2 ?? 'nobody'}`);
        socket?.destroy();
        return;
      }
      if (code === 'AA' || code === 'CA') {
        acknowledged.add(id);
        if (finishing) {
          idle = true;
          if (all.every((one) => one.idle())) whenIdle.splice(0).forEach((resolve) => resolve());
          return;
        }
        next();
        socket?.write(bytes);
        return;
      }
      refused.set(code, (refused.get(code) ?? 0) + 1);
      const to = socket;
      setTimeout(() => to?.writable && to.write(bytes), options.againMs ?? 20);
    }

    return {
      idle: () => idle,
      start(port: number): void {
        if (idle && !finishing) next();
        let received = '';
        const mine = connect({ port, host: '127.0.0.1', noDelay: true });
        socket = mine;
        mine.on('connect', () => idle || mine.write(bytes));
        mine.on('error', () => {});
        mine.on('data', (chunk) => {
          received += chunk.toString('latin1');
          for (let end = received.indexOf('\x1c\r'); end >= 0; end = received.indexOf('\x1c\r')) {
            const frame = received.slice(0, end);
            received = received.slice(end + 2);
            if (socket === mine) answered(frame);
          }
        });
      },
      cut(): void {
        socket?.destroy();
        socket = undefined;
      },
      resume(): void {
        if (!idle) return;
        next();
        socket?.write(bytes);
      },
    };
  }

  return {
    acknowledged,
    refused,
    wrong,
    start: (port) => all.forEach((one) => one.start(port)),
    cut: () => all.forEach((one) => one.cut()),
    finish() {
      finishing = true;
      return new Promise((resolve) => {
        if (all.every((one) => one.idle())) resolve();
        else whenIdle.push(resolve);
      });
    },
    resume() {
      finishing = false;
      whenIdle = [];
      all.forEach((one) => one.resume());
    },
  };
}
