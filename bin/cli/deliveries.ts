/** What `message show` and `message explain` tell of deliveries, and of what persons did. */
import { faultByCode } from '../../engine/faults.ts';
import type { Entry, OutboundNote, OutboundState } from '../../engine/journal/journal.ts';
import { style } from './output.ts';

/** How far a message has come on its way to one destination. */
export interface Delivery {
  to: string;
  state: OutboundState;
  attempts: number;
  fault: string | null;
  /** An attempt was made though an earlier one may have arrived. */
  possibleDuplicate: boolean;
  /** The exchange a dead letter was given to. */
  as: string | null;
}

/** The deliveries of one exchange, by destination. */
export function deliveriesOf(entries: readonly Entry[]): Delivery[] {
  const found = new Map<string, Delivery>();
  for (const { kind, note } of entries) {
    if (kind !== 'outbound') continue;
    const { to, state, attempt, fault, possibleDuplicate, as } = note as OutboundNote;
    const before = found.get(to);
    found.set(to, {
      ...{ to, state, fault: fault ?? null, as: as ?? null },
      attempts: attempt ?? before?.attempts ?? 0,
      possibleDuplicate: possibleDuplicate === true || before?.possibleDuplicate === true,
    });
  }
  return [...found.values()];
}

/** The next step of a fault, for one exchange: what it names to be shown can be copied as it stands. */
export function nextOf(fault: string, exchange: string, to?: string): string {
  const where = to === undefined ? '' : ` --to ${to}`;
  const next = faultByCode(fault)?.next ?? '';
  return next
    .replace(/message show (--part \w+)/, `message show ${exchange} $1${where} --reveal --reason …`)
    .replace('message show"', `message show ${exchange}"`);
}

/** A delivery in a line; a dead letter with its next step. */
export function deliveryLines(one: Delivery, exchange: string): string {
  const { to, state, attempts, fault, possibleDuplicate, as } = one;
  const times = attempts > 1 ? ` after ${attempts} attempts` : '';
  const twice = possibleDuplicate ? ' · sent as a possible duplicate' : '';
  const why = fault ? ` · ${fault} ${faultByCode(fault)?.says ?? ''}` : '';
  const line = `${to}: ${state}${as ? ` as ${as}` : ''}${times}${twice}${why}`;
  if (state !== 'parked') return line;
  const next = `gatehouse message replay ${exchange} --to ${to} --dry-run`;
  const first = fault ? `${nextOf(fault, exchange, to)}\n      ` : '';
  return `${style('red', line)}\nnext: ${first}${next}`;
}

/** Other exchanges with the same message, as entries name them. */
export function linksOf(entries: readonly Entry[]): { what: string; id: string }[] {
  return entries.flatMap(({ kind, note = {} }) => {
    if (kind === 'received' && typeof note.of === 'string') {
      return [{ what: note.act === 'edit' ? 'edited from' : 'replay of', id: note.of }];
    }
    if (kind !== 'operator' || typeof note.as !== 'string') return [];
    return [{ what: note.act === 'edit' ? 'edited as' : 'replayed as', id: note.as }];
  });
}

/** One entry of a delivery in words. */
export function deliverySentence(note: OutboundNote): string {
  const { to, state, attempt, fault, detail, possibleDuplicate, as } = note;
  const number = attempt !== undefined && state === 'sending' ? ` (attempt ${attempt})` : '';
  const twice = possibleDuplicate ? ', a possible duplicate' : '';
  const why = [fault, detail].filter(Boolean).join(' ');
  return `${to}: ${state}${number}${as ? ` as ${as}` : ''}${twice}${why ? ` · ${why}` : ''}`;
}

/** What a person did, in words. */
export function operatorSentence(note: Readonly<Record<string, unknown>>): string {
  const { act, by, reason, to, as, of, what } = note;
  const whom = [what, to && `to ${to}`, of && `of ${of}`, as && `as ${as}`]
    .filter(Boolean)
    .join(' ');
  return `${act}${whom ? ` ${whom}` : ''} by ${by}${reason ? `: ${reason}` : ''}`;
}

/**
 * The last entry whose body is one part of an exchange. What was sent to a destination, and what
 * came back from it, are parts too.
 */
export function partOf(
  entries: readonly Entry[],
  part: string,
  to: string | undefined,
): Entry | undefined {
  const isPart = ({ kind, note }: Entry): boolean => {
    if (kind !== 'outbound') return kind === part && to === undefined;
    const { to: where, state } = note as OutboundNote;
    const wanted = to === undefined || where === to;
    return wanted && part === (state === 'sending' ? 'sent' : 'reply');
  };
  return entries.filter((entry) => entry.body && isPart(entry)).at(-1);
}
