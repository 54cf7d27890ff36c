/** `gatehouse send --count N --rate R`: the messages of a file, again and again, each with an MSH-10 of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import type { createDestination } from '../../engine/mllp/destination.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { printTable, say } from './output.ts';
import { withProgress } from './progress.ts';

/** One message and its answer. */
interface Answered {
  controlId: string;
  code: string;
  ms: number;
}

export interface ManyOptions {
  count: number;
  /** Messages a second at most; as fast as they are answered unless told. */
  rate: number | undefined;
  timeoutMs: number;
  newId(): string;
  unanswered(error: unknown): never;
  output: Form;
}

/**
 * Send so many, one after the other on one connection; tell how many answers there were of each kind,
 * and how long they took. @returns 6 where any was AE, AR, CE or CR
 */
export async function sendMany(
  messages: readonly Message[],
  destination: ReturnType<typeof createDestination>,
  { count, rate, timeoutMs, newId, unanswered, output }: ManyOptions,
): Promise<number> {
  const rows: Answered[] = [];
  const began = performance.now();
  const afterwards = 'send the rest with a smaller --count';
  try {
    await withProgress(
      { doing: 'sending', unit: 'messages', total: count, afterwards },
      async ({ step, signal }) => {
        for (let n = 0; n < count; n++) {
          const due = rate === undefined ? 0 : began + (n * 1000) / rate;
          const early = due - performance.now();
          if (early > 0) await pause(early, undefined, { signal });
          const message = messages[n % messages.length] as Message;
          const controlId = newId();
          message.set('MSH-10', controlId);
          const asked = performance.now();
          const reply = await destination
            .ask(message.toBytes(), controlId, AbortSignal.timeout(timeoutMs))
            .catch(unanswered);
          const code = parseMessage(reply).get('MSA-1') ?? '??';
          rows.push({ controlId, code, ms: Math.round(performance.now() - asked) });
          await step();
        }
      },
    );
  } finally {
    // What was sent before something went wrong is told all the same.
    tell(rows, (performance.now() - began) / 1000, output);
  }
  return rows.every(({ code }) => /^[AC]A$/.test(code)) ? exits.ok : exits.findings;
}

function tell(rows: readonly Answered[], seconds: number, output: Form): void {
  printRows(output, { kind: 'answers', key: 'answers', rows }, () => {
    const codes = Map.groupBy(rows, ({ code }) => code);
    printTable(
      ['ANSWER', 'COUNT', 'MEDIAN MS', 'LONGEST MS'],
      Array.from(codes, ([code, of]) => {
        const times = of.map(({ ms }) => ms).sort((a, b) => a - b);
        return [code, of.length, times[Math.floor((times.length - 1) / 2)], times.at(-1)];
      }),
    );
  });
  const perSecond = seconds > 0 ? (rows.length / seconds).toFixed(1) : '0';
  say(`${rows.length} sent in ${seconds.toFixed(1)} s: ${perSecond} a second`);
}
