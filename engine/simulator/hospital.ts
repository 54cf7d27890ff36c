/**
 * A simulated hospital: asks over MLLP, checks that each answer is the answer to its question, and
 * measures under load.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { silent } from '../events.ts';
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { parseMessage } from '../hl7/message.ts';
import { createDestination } from '../mllp/destination.ts';
import type { LinkTls } from '../mllp/link.ts';
import { buildAdt } from './hospital-messages.ts';
import type { AdtPatient, HospitalMessage } from './hospital-messages.ts';
import { buildQbp, nextPart, queryBuilders, usualAsker } from './hospital-queries.ts';

export interface HospitalOptions {
  host: string;
  port: number;
  tls?: LinkTls;
  /** Patience for one answer, milliseconds. 30 s unless told. */
  answerMs?: number;
  /** Connections at most. One unless told; `run` opens its own. */
  connections?: number;
  emit?: Emit;
}

export interface LoadOptions {
  count: number;
  /** Messages a second; as fast as the answers allow unless told. */
  rate?: number;
  connections?: number;
  /** The message to send, by its number from 0; each needs a control id of its own. */
  message: (number: number) => HospitalMessage;
}

export interface LoadFigures {
  /** How many answers had which MSA-1; `failed` counts those that got none. */
  answers: Record<string, number>;
  failed: number;
  seconds: number;
  perSecond: number;
  /** Milliseconds from when a message was due to its answer. */
  latency: { p50: number; p95: number; p99: number; max: number };
}

export interface Hospital {
  /**
   * Send one message, unframed, and give the answer, unframed.
   * @throws FaultError gpUnavailable not connected, gpTimeout no answer, gpReplyUnreadable an answer
   *   that is no frame or whose MSA-2 is not this message's MSH-10
   */
  send(bytes: Buffer): Promise<Buffer>;
  /** Send a query and ask on (DSC) until the answer has no further part. @throws as `send` */
  sendAll(query: HospitalMessage): Promise<Buffer[]>;
  /** Send many and measure; a message that fails is counted, not thrown. */
  run(options: LoadOptions): Promise<LoadFigures>;
  close(): void;
}

/** A hospital that sends to one MLLP listener; connects when it first sends. */
export function createHospital(options: HospitalOptions): Hospital {
  const { host, port, tls, answerMs = 30_000, emit = silent } = options;
  const open = (connections: number) =>
    createDestination(
      {
        name: 'hospital',
        host,
        port,
        ...(tls && { tls }),
        connections,
        connectMs: 5000,
        writeMs: 5000,
        answerMs,
        maxReplyBytes: 64 * 1024 * 1024,
      },
      answeredId,
      emit,
    );
  const own = open(options.connections ?? 1);
  const never = new AbortController().signal;
  const send = (bytes: Buffer) => own.ask(bytes, parseMessage(bytes).raw('MSH-10') ?? '', never);
  return {
    send,
    async sendAll({ bytes, controlId }) {
      const answers = [await send(bytes)];
      for (;;) {
        const last = answers.at(-1) ?? Buffer.alloc(0);
        const next = nextPart(bytes, last, `${controlId}-${answers.length}`);
        if (!next) return answers;
        answers.push(await send(next.bytes));
      }
    },
    async run({ count, rate, connections = 1, message }) {
      const destination = open(connections);
      const figures = { answers: {} as Record<string, number>, failed: 0, took: [] as number[] };
      const start = performance.now();
      let next = 0;
      const sendInTurn = async (): Promise<void> => {
        for (let number = next++; number < count; number = next++) {
          const due = rate === undefined ? performance.now() : start + (number * 1000) / rate;
          if (due > performance.now()) await wait(due - performance.now());
          const { bytes, controlId } = message(number);
          try {
            const code = codeOf(await destination.ask(bytes, controlId, never));
            figures.answers[code] = (figures.answers[code] ?? 0) + 1;
            figures.took.push(performance.now() - due);
          } catch (error) {
            if (!(error instanceof FaultError)) throw error;
            figures.failed++;
          }
        }
      };
      try {
        await Promise.all(Array.from({ length: connections }, sendInTurn));
      } finally {
        destination.close();
      }
      const seconds = (performance.now() - start) / 1000;
      const { answers, failed, took } = figures;
      const perSecond = took.length / seconds;
      return { answers, failed, seconds, perSecond, latency: percentiles(took) };
    },
    close: () => own.close(),
  };
}

/** One message to try, and what a hospital should see. */
export interface Example {
  name: string;
  says: string;
  message: HospitalMessage;
}

/**
 * The questions a newcomer should see asked, good and bad, about one patient.
 * @param patient as the hospital knows them; PD1 of the admission states the practice
 * @param prefix start of every control id, so that two runs do not repeat each other
 */
export function examples(patient: AdtPatient, prefix: string): Example[] {
  const { nhsNumber } = patient;
  const controlId = (number: number): string => `${prefix}${number}`;
  const ask = (number: number, change: Partial<typeof usualAsker> = {}) =>
    buildQbp({ controlId: controlId(number), nhsNumber, asker: { ...usualAsker, ...change } });
  const other = (type: string, number: number) => {
    const options = { controlId: controlId(number), nhsNumber, asker: usualAsker };
    return queryBuilders[type]?.(options) ?? buildQbp(options);
  };
  const wrong = `${nhsNumber.slice(0, 9)}${(Number(nhsNumber.at(9)) + 1) % 10}`;
  return [
    { name: 'record', says: 'the whole record (QBP^Q11)', message: ask(1) },
    {
      name: 'allergies',
      says: 'allergies only',
      message: buildQbp({
        controlId: controlId(2),
        nhsNumber,
        asker: usualAsker,
        datasets: ['ALL'],
      }),
    },
    {
      name: 'old-query',
      says: 'the same over QRY^A19',
      message: other('QRY^A19', 3),
    },
    {
      name: 'demographics',
      says: 'who the patient is (QBP^Q21)',
      message: other('QBP^Q21', 9),
    },
    {
      name: 'emergency',
      says: 'emergency access with a reason',
      message: ask(4, { consent: 'E', reason: 'Unconscious' }),
    },
    { name: 'refused', says: 'the patient refuses: AE 207', message: ask(5, { consent: 'R' }) },
    { name: 'nobody', says: 'no user named: AE 101', message: ask(6, { user: undefined }) },
    {
      name: 'wrong-number',
      says: 'the check digit is wrong: AE 102',
      message: buildQbp({ controlId: controlId(7), nhsNumber: wrong, asker: usualAsker }),
    },
    {
      name: 'admission',
      says: 'ADT^A01 of the same patient',
      message: buildAdt('A01', patient, { controlId: controlId(8) }),
    },
  ];
}

/** MSA-2 as sent; undefined where the answer does not say it. */
function answeredId(reply: Buffer): string | undefined {
  return parseMessage(reply).raw('MSA-2');
}

function codeOf(reply: Buffer): string {
  return parseMessage(reply).get('MSA-1') ?? faults.gpReplyUnreadable.code;
}

function percentiles(values: number[]): LoadFigures['latency'] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
