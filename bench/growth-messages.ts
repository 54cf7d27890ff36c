/**
 * The messages of a hospital group over years: 1 KB of ADT each, from as many channels, patients and
 * practices as such a group has, in random order. The same numbers give the same messages.
 */
import { createHash } from 'node:crypto';
import type { Entry, Journal, Keys } from '../engine/journal/journal.ts';
import { adtMessage } from './samples.ts';

export const channels = Array.from({ length: 12 }, (_, n) => `adt-${n + 1}`);
/** Two of them send to each channel. */
const senders = Array.from({ length: 24 }, (_, n) => `SYSTEM${n + 1}|R0A`);
export const types = ['A01', 'A02', 'A03', 'A08', 'A31'].map((event) => `ADT^${event}^ADT_A01`);
export const faults = ['GH-2005', 'GH-2006', 'GH-3001', 'GH-4002', 'GH-4009'];
const practices = 7000;
const mostPatients = 1_000_000;
const answer = Buffer.from(
  'MSH|^~\\&|GATEHOUSE|RECGW|MILLENNIUM|R0A|20260604101500+0000||ACK^A01^ACK|HJ5POXU0W1|P|2.4\r' +
    'MSA|AA|B000000000000001\r',
);

/** A message, by its number: what it can be found by. */
export interface Made {
  channel: string;
  keys: Keys & Required<Pick<Keys, 'controlId' | 'patient' | 'practice' | 'sender' | 'type'>>;
}

/** @param messages how many there are in all: a tenth of them have patients of their own, up to a million */
export function made(number: number, messages: number): Made {
  const random = randomOf(number);
  const patientNumber = random % Math.max(1, Math.min(mostPatients, Math.ceil(messages / 10)));
  const channel = (random >>> 8) % channels.length;
  const practice = practiceOf(patientNumber);
  const patient = `9990${String(patientNumber).padStart(6, '0')}`;
  // One of 64 is refused, and one of 1024 is no message: as many as a bad month has.
  const isRejected = random % 64 === 1;
  const isParked = random % 1024 === 2;
  const controlId = createHash('md5').update(String(number)).digest('hex').slice(0, 16);
  const sender = senders[channel * 2 + ((random >>> 4) % 2)] ?? '';
  return {
    channel: channels[channel] ?? '',
    keys: {
      ...{ controlId, patient, practice, sender },
      type: types[(random >>> 12) % types.length] ?? '',
      fingerprint: `${controlId}${number}`,
      state: isParked ? 'parked' : isRejected ? 'rejected' : 'answered',
      ...(isRejected && { fault: faults[(random >>> 16) % faults.length] }),
      ...(!isRejected && !isParked && { registered: { patient, practice } }),
    },
  };
}

/** Where a patient is registered. */
const practiceOf = (patient: number): string =>
  `A${String(randomOf(patient + 7) % practices).padStart(5, '0')}`;

/** 32 bits that look random (Wang's integer hash). */
export function randomOf(number: number): number {
  let n = number >>> 0;
  n = (n ^ 61 ^ (n >>> 16)) >>> 0;
  n = (n + (n << 3)) >>> 0;
  n = (n ^ (n >>> 4)) >>> 0;
  n = Math.imul(n, 0x27d4eb2d) >>> 0;
  return (n ^ (n >>> 15)) >>> 0;
}

/** Messages under way at once, as from so many connections. */
const underWay = 64;

/**
 * Append messages as the engine does: one commit stores what was received, the steps and the
 * answer; then the answer is marked as delivered.
 * @param from number of the first
 * @param stored called with each that is stored
 */
export async function append(
  journal: Journal,
  from: number,
  count: number,
  messages: number,
  stored: (number: number, exchange: number) => void = () => {},
): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      const number = next++;
      const exchange = journal.mint();
      const { channel, keys } = made(number, messages);
      await journal.append(exchange, channel, entriesOf(number, exchange), keys);
      journal.settle(exchange, 'delivered');
      stored(number, exchange);
    }
  };
  await Promise.all(Array.from({ length: underWay }, lane));
}

function entriesOf(number: number, at: number): Entry[] {
  const note = { route: 'adt@2', us: 40 };
  return [
    { kind: 'received', at, note: { peer: '10.1.4.9:51022' }, body: adtMessage(number) },
    { kind: 'step', at: at + 400, note: { do: 'register', event: 'found', ...note } },
    { kind: 'step', at: at + 500, note: { do: 'deliver', event: 'found', ...note } },
    { kind: 'answer', at: at + 900, note: { level: 'application' }, body: answer },
  ];
}
