/**
 * The journal's contract and vocabulary. A journal stores bytes and knows neither HL7 nor HTTP.
 *
 * One `append` is one atomic, durable fact: when its promise resolves, the entries are on disk
 * (WAL, synchronous=FULL, committed); when it rejects, none of them is. Appends made while a
 * commit runs go into the next one (group commit), in the order in which they were made.
 */

/** Microseconds since 1970, strictly increasing within one journal: the id of an exchange. */
export type ExchangeId = number;

/** An exchange id as people see it and as our MSH-10 starts: base 36, upper case. */
export function exchangeName(id: ExchangeId): string {
  return id.toString(36).toUpperCase();
}

/** The id behind a name, or undefined when it is none. */
export function exchangeOf(name: string): ExchangeId | undefined {
  const id = /^[0-9A-Za-z]{1,11}$/.test(name) ? Number.parseInt(name, 36) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

export type EntryKind =
  | 'received' // the original bytes of one framed message
  | 'broken' // bytes that were not a frame, or a frame that was not HL7
  | 'step' // a decision or its outcome
  | 'asking' // what is about to be sent to PDS, SDS or the GP system
  | 'reply' // what came back
  | 'answer' // the response, before it is written
  | 'delivered' // the response was handed to the peer's socket
  | 'undelivered' // the peer was gone
  | 'outbound' // what became of the message on its way to a destination
  | 'operator'; // what a person did about it: who, what, why

/** One fact about an exchange. `note` is small JSON; `body` is bytes, stored exactly. */
export interface Entry {
  kind: EntryKind;
  /** Microseconds since 1970. */
  at: number;
  note?: Readonly<Record<string, unknown>>;
  body?: Uint8Array;
}

/** What an exchange can be found by. Kept off the path to the acknowledgement. */
export interface Keys {
  /** MSH-3 and MSH-4 as sent, joined by `|`. */
  sender?: string;
  /** MSH-10 as sent. */
  controlId?: string;
  /** MSH-9 as sent, for example `QBP^Q11^QBP_Q11`. */
  type?: string;
  /** Fingerprint of sender, MSH-10 and bytes: equal fingerprints are candidates for a repeat. */
  fingerprint?: string;
  /** NHS number; stored only as a keyed hash. */
  patient?: string;
  /** ODS code of the practice. */
  practice?: string;
  /** Progress after this append. */
  state?: Progress;
  /** Fault code, `GH-nnnn`. */
  fault?: string;
  /** For a repeat: the exchange whose answer was given again. */
  repeatOf?: ExchangeId;
  /** What an ADT message, or PDS, says of where patients are registered. */
  registered?: Registration | readonly Registration[];
}

/** An ADT message (PD1) or PDS says: this patient is registered with this practice. */
export interface Registration {
  /** An NHS number, or a number of the hospital's with its authority; stored only as a keyed hash. */
  patient: string;
  /** Empty: with none that is known. */
  practice: string;
  /** It was merged into this one (MRG), which says from now on where the patient is registered. */
  into?: string;
  /** ADT unless told. */
  source?: 'pds';
}

/** Where a patient is registered, and since when that is known. */
export interface KnownPractice {
  practice: string;
  /** Microseconds since 1970. */
  at: number;
  /** It was named for the patient into whom this one was merged. */
  merged?: true;
  /** A list of patients that was imported, or PDS; ADT where it says nothing. */
  source?: 'list' | 'pds';
}

/**
 * received → asking → mapping → answered | rejected | parked; a person who has dealt with what is
 * parked makes it closed.
 */
export const progressStates = [
  'received',
  'asking',
  'mapping',
  'answered',
  'rejected',
  'parked',
  'closed',
] as const;
export type Progress = (typeof progressStates)[number];
/** Separately: owed → delivered | undelivered. */
export type Delivery = 'owed' | 'delivered' | 'undelivered';

/**
 * How far a message has come on its way to one destination: owed → sending → delivered, with
 * `failed` before another attempt; or it ends as filtered, parked (a dead letter), skipped,
 * replayed (a dead letter that was given to a new exchange) or closed (a dead letter that a person
 * has dealt with).
 */
export const outboundStates = [
  'owed',
  'sending',
  'failed',
  'delivered',
  'filtered',
  'parked',
  'skipped',
  'replayed',
  'closed',
] as const;
export type OutboundState = (typeof outboundStates)[number];

/** The states after which there is something left to do without a person. */
export const openStates = ['owed', 'sending', 'failed'] as const satisfies OutboundState[];

/** The note of an `outbound` entry. */
export interface OutboundNote extends Readonly<Record<string, unknown>> {
  /** `channel/destination`. */
  to: string;
  state: OutboundState;
  /** Which attempt this is, or was, from 1. */
  attempt?: number;
  fault?: string;
  detail?: string;
  /** With `sending`: an earlier attempt may have arrived, so the receiver may see this twice. */
  possibleDuplicate?: boolean;
  /** With `replayed`: the exchange it was given to. */
  as?: string;
}

/** One message on its way to one destination. */
export interface Outbound {
  exchange: ExchangeId;
  to: string;
  state: OutboundState;
  /** Attempts begun so far. */
  attempts: number;
  fault: string | null;
  /** When it came into its state, microseconds since 1970. */
  since: number;
}

export interface OutboundFilter {
  /** `channel/destination` */
  to?: string;
  /** Those that are open unless told. */
  states?: readonly OutboundState[];
  fault?: string;
  exchange?: ExchangeId;
  /** Only exchanges after this one. */
  after?: ExchangeId;
  /** 1000 unless told. */
  limit?: number;
}

/** How many messages are in one state on their way to one destination. */
export interface OutboundCount {
  to: string;
  state: OutboundState;
  fault: string | null;
  count: number;
  /** The first exchange among them: its age is that of the oldest. */
  oldest: ExchangeId;
}

export interface ExchangeSummary {
  id: ExchangeId;
  channel: string;
  state: Progress;
  delivery: Delivery | null;
  sender: string | null;
  controlId: string | null;
  type: string | null;
  practice: string | null;
  fault: string | null;
  repeatOf: ExchangeId | null;
  /** Microseconds from the first entry to the last. */
  took: number;
}

export interface StoredExchange extends ExchangeSummary {
  entries: Entry[];
}

export interface Filter {
  channel?: string;
  state?: Progress;
  fault?: string;
  controlId?: string;
  sender?: string;
  /** NHS number. */
  patient?: string;
  /** MSH-9 or its beginning: `ADT`, `ADT^A01`, `ADT^A01^ADT_A01`. */
  type?: string;
  practice?: string;
  /** Microseconds since 1970, inclusive. */
  since?: number;
  until?: number;
  /** Newest first; 50 unless told. */
  limit?: number;
}

export interface Journal {
  /** A new exchange id. */
  mint(): ExchangeId;
  /**
   * Store entries of one exchange, durably.
   * @throws FaultError journalUnavailable, journalFull or journalLocked: nothing was stored
   */
  append(exchange: ExchangeId, channel: string, entries: Entry[], keys?: Keys): Promise<void>;
  /**
   * Record that answers were written or not. Not waited for: group-committed with what comes next,
   * or within a second.
   */
  settle(exchange: ExchangeId, outcome: 'delivered' | 'undelivered'): void;
  /** Everything stored of one exchange, in order; undefined when there is none. */
  read(exchange: ExchangeId): Promise<StoredExchange | undefined>;
  /** The bytes that began an exchange, as they came; undefined when they are not there (any more). */
  received(exchange: ExchangeId): Promise<Uint8Array | undefined>;
  /** The entry that began an exchange: `received` or `broken`; undefined as above. */
  beginning(exchange: ExchangeId): Promise<Entry | undefined>;
  /** Exchanges, newest first, including those not yet indexed. */
  list(filter?: Filter): Promise<ExchangeSummary[]>;
  /**
   * Exchanges with this fingerprint and MSH-10 received at or after `since`, newest first. Answers from
   * memory where memory covers the window, so that it costs nothing on the path to the
   * acknowledgement; otherwise from the key index.
   */
  repeats(
    of: { fingerprint: string; controlId: string },
    since: number,
  ): ExchangeId[] | Promise<ExchangeId[]>;
  /** Messages on their way to destinations, oldest first. */
  outbound(filter?: OutboundFilter): Promise<Outbound[]>;
  /** What is open or parked, by destination, state and fault. */
  outboundCounts(): Promise<OutboundCount[]>;
  /** The practice an ADT message last named for this patient, or for whom they were merged into. */
  practiceOf(patient: string): Promise<KnownPractice | undefined>;
  /** Bytes, counts and what retention holds, for `status`. */
  stats(): Promise<{ exchanges: number; bytes: number; oldest: number | null; unindexed: number }>;
  /** Commit what is pending, then close. */
  close(): Promise<void>;
}
