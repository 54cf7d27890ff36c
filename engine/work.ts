/** One exchange while it is worked on: what is known so far, and what is not yet committed. */
import type { Mapper } from './apart/apart.ts';
import type { Channel } from './channel.ts';
import type { LoadedChannel } from './config/site.ts';
import type { Emit } from './events.ts';
import { type Fault, faults } from './faults.ts';
import type {
  AskDocuments,
  AskGateway,
  AskHtml,
  AskMessage,
  AskRecord,
  Beside,
  Endpoint,
  GpReply,
  LocateEndpoint,
  Trace,
  TracePatient,
} from './gp/port.ts';
import type { HeldRecords } from './held-records.ts';
import type { Message } from './hl7/message.ts';
import {
  type Entry,
  type ExchangeId,
  type Journal,
  type Keys,
  type Progress,
  exchangeName,
} from './journal/journal.ts';
import type { MappedRecord } from './mapping/mapped.ts';
import type { Caution } from './query/cautions.ts';
import type { QueryKind } from './query/kinds.ts';
import type { Query } from './query/query.ts';
import type { AnswerPart } from './query/response.ts';
import type { Route } from './route.ts';
import type { Place } from './sequence.ts';
import type { Taps } from './watch/taps.ts';

/** What an exchange needs besides its channel. */
export interface Surroundings {
  journal: Journal;
  outside: Outside;
  emit: Emit;
  /**
   * A message is committed that is owed to a destination (`channel/destination`).
   * @param ambiguous it may be there already, from an earlier exchange
   */
  owed(to: string, exchange: ExchangeId, received: Uint8Array, ambiguous: boolean): void;
  /** A message has ended, for whoever looks at what passes. */
  finished?: Taps['finished'];
  /** Microseconds since 1970. */
  now(): number;
}

/** The outside of one channel: what its destinations answer. */
export interface Outside {
  /** Maps records, large ones in a thread of their own; without it every one is mapped here. */
  mapper?: Mapper;
  trace?: TracePatient;
  locate?: LocateEndpoint;
  /** Where a practice gives its record as HTML; absent where the channel does not want it. */
  locateHtml?: LocateEndpoint;
  gpconnect?: AskRecord;
  html?: AskHtml;
  /** Where a practice gives its documents; absent where the channel does not want them. */
  locateDocuments?: LocateEndpoint;
  documents?: AskDocuments;
  /** Clinical Data Gateways, by the name of their destination. */
  gateways: Record<string, AskGateway>;
  /** GP systems that speak HL7 v2, by the name of their destination. */
  mllp: Record<string, AskMessage>;
  /** The practice the hospital's ADT last named for a patient. */
  practiceOf: Journal['practiceOf'];
}

/** Why an exchange began that no peer sent: a person had a stored message worked on again. */
export interface Origin {
  /** The exchange whose bytes these are, or were before the person edited them. */
  of: ExchangeId;
  act: 'replay' | 'edit';
  /** Who, as the operating system knows them, and why. */
  by: string;
  reason?: string;
  /** Destinations that may have the message already: there it is flagged. */
  arrived: ReadonlySet<string>;
  /** A newer message of the patient is stored: this one must not say where they are registered. */
  outdated: boolean;
  /** What the earlier exchange is told, in one commit with the end of this one. */
  committing(as: ExchangeId, state: Progress): Promise<void>;
}

export interface Work {
  id: ExchangeId;
  /** The id as people see it; also the stem of our own MSH-10. */
  name: string;
  /** When the message arrived, microseconds since 1970. */
  at: number;
  loaded: LoadedChannel;
  channel: Channel;
  route: Route;
  around: Surroundings;
  /** The original bytes; empty where what arrived was no message. */
  payload: Uint8Array;
  message?: Message;
  fingerprint: string;
  /** Entries of this exchange that the next commit will store. */
  pending: Entry[];
  /** Destinations (`channel/destination`) it is owed to, once it is committed. */
  owed: string[];
  /** Among the messages of its connection; none where no peer sent it. */
  place?: Place;
  keys: Keys;
  /** Set where no peer sent the message. */
  origin?: Origin;
  /** How the message is read as a query, where its type does not say. */
  kind?: QueryKind;
  query?: Query;
  /** Everything wrong with the query; the answer tells all of it. */
  queryFaults: Fault[];
  trace?: Trace;
  endpoint?: Endpoint;
  reply?: GpReply;
  /** What was asked for beside it. */
  beside?: Beside;
  record?: MappedRecord;
  /** Records of this channel whose rest may still be asked for. */
  held: HeldRecords;
  /** Whose record this query wants more of, and how many items came before. */
  continues?: { name: string; from: number };
  /** How much of the record the answer holds, where that is not all. */
  part?: AnswerPart;
  /** What the clinician must be told besides the record. */
  cautions: Caution[];
  /** The last fault, which the answer carries if the route ends in one. */
  fault?: Fault;
  /** The accept acknowledgement of enhanced mode has been written. */
  acceptedEarly?: boolean;
  /** The UUID of each request, kept over its retries. */
  requestIds: Record<string, string>;
  /** One UUID for everything asked for this exchange. */
  correlationId?: string;
  deadline?: AbortController;
  timer?: NodeJS.Timeout;
}

/** Work whose message could be read. */
export type ReadWork = Work & { message: Message };

/** A new exchange: its id is its place in the journal. */
export function beginWork(loaded: LoadedChannel, around: Surroundings, held: HeldRecords): Work {
  const id = around.journal.mint();
  const { channel, route } = loaded;
  return {
    id,
    name: exchangeName(id),
    at: id,
    loaded,
    channel,
    route,
    around,
    payload: new Uint8Array(),
    fingerprint: '',
    pending: [],
    owed: [],
    held,
    keys: { state: 'received' },
    queryFaults: [],
    cautions: [],
    requestIds: {},
  };
}

/** Commit everything pending. @throws FaultError of the 6xxx rows: nothing was stored */
export async function commit(work: Work, ...entries: Entry[]): Promise<void> {
  const all = [...work.pending, ...entries];
  if (all.length === 0) return;
  work.pending = [];
  try {
    await work.around.journal.append(work.id, work.channel.channel, all, work.keys);
    // Said once: by the next commit somebody else may have said otherwise.
    delete work.keys.registered;
  } catch (error) {
    work.pending = [...all, ...work.pending];
    throw error;
  }
}

/** A decision of the route and its outcome, for the journal; committed with what follows. */
export function note(
  work: Work,
  began: number,
  step: { state: string; do: string; event: string; to: string; fault?: Fault },
): void {
  const at = work.around.now();
  const { state, do: effect, event, to, fault } = step;
  const code = fault && faults[fault.name].code;
  const route = `${work.route.name}@${work.route.version}`;
  const told = { state, do: effect, event, to, route, us: at - began };
  work.pending.push({
    kind: 'step',
    at,
    note: fault ? { ...told, fault: code, detail: fault.detail } : told,
  });
  work.around.emit('exchange.step', {
    channel: work.channel.channel,
    exchange: work.name,
    step: step.do,
    event: step.event,
    code,
    ms: (at - began) / 1000,
  });
}
