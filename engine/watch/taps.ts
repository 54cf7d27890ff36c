/**
 * Taps: whoever looks at the messages of a running engine as they end. A tap never holds the engine:
 * what its reader does not take in time is left out, counted, and the reader is told.
 */
import { Readable } from 'node:stream';
import type { Message } from '../hl7/message.ts';
import { segmentLines } from '../hl7/readable.ts';
import { type Where, holding } from '../hl7/where.ts';
import type { Progress } from '../journal/journal.ts';

/** A message as it ended. */
export interface Finished {
  /** Name of the exchange. */
  id: string;
  /** When it arrived, microseconds since 1970. */
  at: number;
  channel: string;
  type?: string;
  controlId?: string;
  sender?: string;
  state: Progress;
  fault?: string;
  /** From its arrival to its committed answer, milliseconds. */
  ms: number;
  /** Undefined where what arrived was none. */
  message?: Message;
}

/** One line of a tap: a message, or how many were left out before the next. */
export type TapLine =
  (Omit<Finished, 'message'> & { message: string | null }) | { dropped: number };

export interface Tapped {
  channel?: string;
  states?: readonly Progress[];
  type?: string;
  fault?: string;
  where: readonly Where[];
}

export interface Taps {
  /** A message has ended. Costs nothing where nobody looks. */
  finished(one: () => Finished): void;
  /**
   * Look, from now on: lines of JSON (`TapLine`).
   * @throws Error where a place is none
   */
  open(of: Tapped): Readable;
}

/** Lines that wait for a reader at most, and their bytes. */
const mostLines = 1000;
const mostBytes = 4 * 1024 ** 2;

/** No tap is open yet. @param limit lines that wait for one reader at most */
export function createTaps(limit = mostLines): Taps {
  const open = new Set<(one: Finished, line: () => string) => void>();
  return {
    finished(make) {
      if (open.size === 0) return;
      const one = make();
      let text: string | undefined;
      // Written once, however many look.
      const line = () => (text ??= lineOf(one));
      for (const tap of open) tap(one, line);
    },
    open(of) {
      const fits = fitting(of);
      const waiting: string[] = [];
      let [bytes, dropped, wanted] = [0, 0, false];
      const hear = (one: Finished, line: () => string): void => {
        if (!fits(one)) return;
        if (waiting.length >= limit || bytes >= mostBytes) {
          dropped += 1;
          return;
        }
        tellDropped();
        put(line());
        flush();
      };
      const stream = new Readable({
        read() {
          wanted = true;
          flush();
        },
        destroy(error, done) {
          open.delete(hear);
          done(error);
        },
      });
      open.add(hear);
      return stream;

      function put(line: string): void {
        waiting.push(line);
        bytes += line.length;
      }
      function tellDropped(): void {
        if (dropped === 0) return;
        put(`${JSON.stringify({ dropped } satisfies TapLine)}\n`);
        dropped = 0;
      }
      function flush(): void {
        while (wanted) {
          if (waiting.length === 0) tellDropped();
          const line = waiting.shift();
          if (line === undefined) return;
          bytes -= line.length;
          wanted = stream.push(line);
        }
      }
    },
  };
}

function lineOf({ message, ...one }: Finished): string {
  const text = message === undefined ? null : segmentLines(message).toWellFormed();
  return `${JSON.stringify({ ...one, message: text } satisfies TapLine)}\n`;
}

function fitting({ channel, states, type, fault, where }: Tapped): (one: Finished) => boolean {
  const holds = holding(where);
  return (one) =>
    (channel === undefined || one.channel === channel) &&
    (states === undefined || states.includes(one.state)) &&
    (type === undefined || `${one.type}^`.startsWith(`${type}^`)) &&
    (fault === undefined || one.fault === fault) &&
    (where.length === 0 || (one.message !== undefined && holds(one.message)));
}
