/**
 * What is known of an exchange without its bodies. An outline is gathered append by append; null
 * means that nothing has said so yet. The index stores outlines, a listing shows them.
 */
import type { Append } from './block.ts';
import { combineDeliveries, deliveriesAfter } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import type { Delivery, ExchangeId, ExchangeSummary, Filter, Progress } from './journal.ts';
import { fingerprintNumber } from './recent.ts';

/** One row of `exchange` in keys.sqlite. */
export interface Outline {
  id: ExchangeId;
  /** 0 while only marks of delivery are known. */
  channel: number;
  state: Progress | null;
  delivery: Delivery | null;
  sender: string | null;
  control: string | null;
  type: string | null;
  practice: string | null;
  fault: string | null;
  patient: Buffer | null;
  fingerprint: number | null;
  repeat_of: ExchangeId | null;
  /** When its first and its last entry happened, those of deliveries and of persons apart. */
  first: number | null;
  last: number | null;
}

/** An outline, with what appends said of deliveries. */
export interface Told extends Outline {
  deliveries: Deliveries | null;
}

/** What one append says of its exchange. */
export function outlineOf(
  append: Append,
  channel: number,
  patientHash: (patient: string) => Buffer,
): Told {
  const { keys } = append;
  const outline: Told = {
    id: append.exchange,
    channel,
    state: keys.state ?? null,
    delivery: null,
    sender: keys.sender ?? null,
    control: keys.controlId ?? null,
    type: keys.type ?? null,
    practice: keys.practice ?? null,
    fault: keys.fault ?? null,
    patient: keys.patient === undefined ? null : patientHash(keys.patient),
    fingerprint: keys.fingerprint === undefined ? null : fingerprintNumber(keys.fingerprint),
    repeat_of: keys.repeatOf ?? null,
    first: null,
    last: null,
    deliveries: deliveriesAfter(append.exchange, null, append.entries),
  };
  for (const { kind, at } of append.entries) {
    if (kind === 'outbound' || kind === 'operator') continue;
    if (kind === 'answer') outline.delivery = 'owed';
    if (kind === 'delivered' || kind === 'undelivered') outline.delivery = kind;
    outline.first = outline.first === null ? at : Math.min(outline.first, at);
    outline.last = outline.last === null ? at : Math.max(outline.last, at);
  }
  return outline;
}

/** What two outlines of one exchange say together: the later wins where it says something. */
export function combine(earlier: Outline | Told | undefined, later: Told): Told {
  if (earlier === undefined) return later;
  const before = 'deliveries' in earlier ? earlier.deliveries : null;
  return {
    id: later.id,
    channel: later.channel || earlier.channel,
    state: later.state ?? earlier.state,
    delivery: later.delivery ?? earlier.delivery,
    sender: later.sender ?? earlier.sender,
    control: later.control ?? earlier.control,
    type: later.type ?? earlier.type,
    practice: later.practice ?? earlier.practice,
    fault: later.fault ?? earlier.fault,
    patient: later.patient ?? earlier.patient,
    fingerprint: later.fingerprint ?? earlier.fingerprint,
    repeat_of: later.repeat_of ?? earlier.repeat_of,
    first: extreme(Math.min, earlier.first, later.first),
    last: extreme(Math.max, earlier.last, later.last),
    deliveries: combineDeliveries(before, later.deliveries),
  };
}

/** The outline as the contract shows it. */
export function summaryOf(outline: Outline, channelName: string): ExchangeSummary {
  return {
    id: outline.id,
    channel: channelName,
    state: outline.state ?? 'received',
    delivery: outline.delivery,
    sender: outline.sender,
    controlId: outline.control,
    type: outline.type,
    practice: outline.practice,
    fault: outline.fault,
    repeatOf: outline.repeat_of,
    took: outline.first === null || outline.last === null ? 0 : outline.last - outline.first,
  };
}

/** A filter as the index understands it: channels and patients are numbers and hashes there. */
export interface Selection extends Omit<Filter, 'channel' | 'patient' | 'limit'> {
  channel?: number;
  patient?: Buffer;
}

/** Whether MSH-9 is, or begins with, what is wanted: `ADT` is that of `ADT^A01^ADT_A01`. */
export const isOfType = (type: string | null, wanted: string | undefined): boolean =>
  wanted === undefined || `${type ?? ''}^`.startsWith(`${wanted}^`);

/** Whether an outline is one of those selected. */
export function matches(outline: Outline, selection: Selection): boolean {
  const { patient } = selection;
  return (
    (selection.channel === undefined || outline.channel === selection.channel) &&
    (selection.state === undefined || (outline.state ?? 'received') === selection.state) &&
    (selection.fault === undefined || outline.fault === selection.fault) &&
    (selection.controlId === undefined || outline.control === selection.controlId) &&
    isOfType(outline.type, selection.type) &&
    (selection.sender === undefined || outline.sender === selection.sender) &&
    (selection.practice === undefined || outline.practice === selection.practice) &&
    (patient === undefined || outline.patient?.equals(patient) === true) &&
    outline.id >= (selection.since ?? 0) &&
    outline.id <= (selection.until ?? Number.MAX_SAFE_INTEGER)
  );
}

function extreme(
  pick: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null || b === null) return a ?? b;
  return pick(a, b);
}
