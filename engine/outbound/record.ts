/**
 * What the journal is told of deliveries. The outcome of one message and the sending of the next
 * one in its lane may go with the same commit; neither is ever behind the other.
 */
import { hash } from 'node:crypto';
import { type Fault, faults } from '../faults.ts';
import type { Entry, OutboundNote, OutboundState } from '../journal/journal.ts';
import type { QueueOptions, Waiting } from './outbound.ts';

export interface Recorder {
  /**
   * About to be written. Resolves when that is committed, and the outcome of the message before.
   * @throws FaultError of the 6xxx rows: it must not be sent
   */
  sending(one: Waiting, payload: Uint8Array, entries: Entry[]): Promise<void>;
  /** What became of it; tried until it is stored. @returns whether it is: not where `signal` ended that */
  outcome(
    one: Pick<Waiting, 'exchange' | 'lane' | 'attempts'>,
    what: { state: OutboundState; fault?: Fault; detail?: string },
    reply: Uint8Array | undefined,
    entries: Entry[],
  ): Promise<boolean>;
  /** Resolves when every outcome is stored. */
  flush(): Promise<void>;
}

/** @param signal once it ends, what cannot be stored is given up; the next life sends it again */
export function createRecorder(
  options: Pick<QueueOptions, 'channel' | 'to' | 'journal' | 'now' | 'backoff'>,
  signal: AbortSignal,
): Recorder {
  const { channel, to, journal, now, backoff } = options;
  /** By lane, the outcomes that are being stored: several where a message ends without being sent. */
  const storing = new Map<number, Promise<unknown>>();
  /** Fingerprint of what was sent last, so that the same bytes are stored once. */
  const sent = new WeakMap<Waiting, string>();

  async function store(exchange: number, entries: Entry[]): Promise<boolean> {
    while (!signal.aborted) {
      try {
        await journal.append(exchange, channel, entries);
        return true;
      } catch {
        // The journal has told of it; until it is stored the lane must wait.
        await new Promise((resolve) => setTimeout(resolve, backoff.first).unref());
      }
    }
    return false;
  }

  return {
    async sending(one, payload, entries) {
      const note: OutboundNote = {
        to,
        state: 'sending',
        attempt: one.attempts,
        ...(one.ambiguous && { possibleDuplicate: true }),
      };
      const fingerprint = hash('sha256', payload, 'base64');
      const body = sent.get(one) === fingerprint ? undefined : payload;
      const entry: Entry = { kind: 'outbound', at: now(), note, body };
      await Promise.all([
        journal.append(one.exchange, channel, [...entries, entry]),
        storing.get(one.lane),
      ]);
      sent.set(one, fingerprint);
    },
    outcome(one, { state, fault, detail = fault?.detail }, reply, entries) {
      const note: OutboundNote = {
        to,
        state,
        attempt: one.attempts,
        ...(fault && { fault: faults[fault.name].code }),
        ...(detail !== undefined && { detail }),
      };
      const entry: Entry = { kind: 'outbound', at: now(), note, body: reply };
      const stored = store(one.exchange, [...entries, entry]);
      const all = Promise.all([storing.get(one.lane), stored]).finally(() => {
        if (storing.get(one.lane) === all) storing.delete(one.lane);
      });
      storing.set(one.lane, all);
      return stored;
    },
    async flush() {
      await Promise.all(storing.values());
    },
  };
}
