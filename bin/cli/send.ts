/** `gatehouse send FILE --to HOST:PORT`. */
import { randomBytes } from 'node:crypto';

import { FaultError } from '../../engine/faults.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { nextPart } from '../../engine/simulator/hospital-queries.ts';
import { exits } from './exits.ts';
import { connectTo, target } from './mllp.ts';
import { type Form, isForPeople, printRows } from './form.ts';
import { whole } from './values.ts';
import { readInput } from './input.ts';
import { CommandError, print, say, style } from './output.ts';

export interface SendOptions {
  to: string;
  tls?: boolean;
  authorities?: string;
  timeout: string;
  newId?: boolean;
  count?: string;
  rate?: string;
  continue?: boolean;
  output: Form;
}

/**
 * Send each message of a file and print its answer; with `--continue`, ask for the further parts of
 * an answer as well. @returns 6 where an answer was AE, AR, CE or CR
 */
export async function send(file: string, options: SendOptions): Promise<number> {
  const messages = messagesIn(file);
  const timeoutMs = Number(options.timeout) * 1000;
  if (!(timeoutMs > 0))
    throw new CommandError(
      `"${options.timeout}" is no number of seconds`,
      'write it as 30',
      'valueNotAllowed',
    );
  const tls = options.tls || options.authorities ? { authorities: options.authorities } : undefined;
  const destination = connectTo(target(options.to), timeoutMs, tls);
  if (options.count !== undefined || options.rate !== undefined) {
    const many = manyOf(options, messages.length);
    const { sendMany } = await import('./send-many.ts');
    const told = { ...many, timeoutMs, newId, output: options.output };
    const failed = (error: unknown) => unanswered(error, options);
    return sendMany(messages, destination, { ...told, unanswered: failed }).finally(() =>
      destination.close(),
    );
  }
  let negative = 0;
  const answers: object[] = [];
  try {
    for (const message of messages) {
      if (options.newId) message.set('MSH-10', newId());
      const id = message.raw('MSH-10') ?? '';
      const began = performance.now();
      const reply = await destination
        .ask(message.toBytes(), id, AbortSignal.timeout(timeoutMs))
        .catch((error: unknown) => unanswered(error, options));
      const ms = Math.round(performance.now() - began);
      const answer = parseMessage(reply);
      const further = options.continue && nextPart(message.toBytes(), reply, newId());
      if (further) messages.splice(messages.indexOf(message) + 1, 0, parseMessage(further.bytes));
      const code = answer.get('MSA-1') ?? '??';
      if (!/^[AC]A$/.test(code)) negative++;
      answers.push({ code, controlId: id, ms, message: segmentLines(answer).split('\n') });
      if (isForPeople(options.output)) {
        print(segmentLines(answer));
        const colour = /^[AC]A$/.test(code) ? 'green' : 'red';
        say(
          `${style(colour, code, process.stderr)} in ${ms} ms  MSA-2=${answer.get('MSA-2') ?? ''}`,
        );
      }
    }
  } finally {
    destination.close();
  }
  printRows(options.output, { kind: 'answers', key: 'answers', rows: answers }, () => undefined);
  return negative > 0 ? exits.findings : exits.ok;
}

/** How many, and how fast. */
function manyOf({ count, rate, continue: further }: SendOptions, messages: number) {
  if (further) throw new CommandError('--continue asks on after each answer', 'leave out --count');
  const perSecond = rate === undefined ? undefined : Number(rate);
  if (perSecond !== undefined && !(perSecond > 0)) {
    throw new CommandError(
      `"${rate}" is no number of messages a second`,
      'write it as 10, or 0.5',
      'valueNotAllowed',
    );
  }
  return { count: count === undefined ? messages : whole(count), rate: perSecond };
}

/** An MSH-10 that was never used before. */
const newId = () => `E2E${randomBytes(6).toString('hex').toUpperCase()}`;

/** Why there is no answer, in words about this connection. */
function unanswered(error: unknown, { to, timeout }: SendOptions): never {
  if (!(error instanceof FaultError)) throw error;
  const { name, detail } = error.fault;
  const why = detail ? ` (${detail})` : '';
  const [says, next] =
    name === 'gpUnavailable'
      ? [`${to} cannot be reached${why}`, 'check the address, and that something listens there']
      : name === 'gpReplyUnreadable' || name === 'gpReplyTooLong'
        ? [`what ${to} answered cannot be read${why}`, 'check that it speaks HL7 v2 over MLLP']
        : [`${to} gave no answer in ${timeout} s`, 'wait longer with --timeout'];
  throw new CommandError(says, next, 'peerSilent');
}

/**
 * The messages of a file (`-` is standard input): bare or with MLLP framing, one after the other.
 * @throws CommandError where it holds none
 */
export function messagesIn(file: string): Message[] {
  const text = readInput(file).toString('latin1').replaceAll('\x0b', '\r').replaceAll('\x1c', '\r');
  const parts = text
    .split(/(?<=^|[\r\n])(?=MSH[^A-Za-z0-9\r\n])/)
    .filter((part) => part.startsWith('MSH'));
  if (parts.length === 0) {
    throw new CommandError(
      `${file === '-' ? 'standard input' : file} holds no HL7 v2 message (no line starts with MSH)`,
      undefined,
      'inputUnreadable',
    );
  }
  return parts.map((part) =>
    parseMessage(Buffer.from(`${part.trimEnd().replace(/\r?\n|\r/g, '\r')}\r`, 'latin1')),
  );
}
