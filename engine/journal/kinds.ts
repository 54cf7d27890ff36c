/**
 * What exchanges are by everything that has few values: channel, state, fault, sender and type. Each
 * combination that occurs is a kind, with the number of its exchanges, which nobody has to count.
 */
import type { Database } from 'better-sqlite3';
import type { ExchangeId } from './journal.ts';
import type { Outline, Selection } from './outline.ts';
import { find, index, list } from './sql.ts';

/** The kinds in one transaction: one that fails takes its changes along. */
export interface Kinds {
  /** The kind of an exchange that is stored now. @param before its kind until now */
  put(now: Outline, before?: number): number;
  /** An exchange of this kind is deleted. */
  drop(kind: number): void;
  /** Store how many there are of each, in the transaction that stores the exchanges. */
  store(): void;
}

/**
 * @param keys keys.sqlite, to write
 * @returns begins a transaction
 */
export function createKinds(keys: Database): () => Kinds {
  const statements = {
    find: keys.prepare<string[], number>(index.kind).pluck(),
    add: keys.prepare(index.addKind),
    count: keys.prepare(index.countKind),
    dropEmpty: keys.prepare(index.dropEmptyKinds),
  };

  return () => {
    const known = new Map<string, number>();
    const counts = new Map<number, number>();
    const change = (kind: number, by: number): void =>
      void counts.set(kind, (counts.get(kind) ?? 0) + by);

    function kindOf(outline: Outline): number {
      const { channel, state, fault, sender, type } = outline;
      const values = [`${channel}`, state ?? 'received', fault ?? '', sender ?? '', type ?? ''];
      const key = values.join('\n');
      const before = known.get(key);
      if (before !== undefined) return before;
      const kind =
        statements.find.get(...values) ?? Number(statements.add.run(...values).lastInsertRowid);
      known.set(key, kind);
      return kind;
    }

    return {
      put(now, before) {
        const kind = kindOf(now);
        if (before !== undefined) change(before, -1);
        change(kind, 1);
        return kind;
      },
      drop: (kind) => change(kind, -1),
      store() {
        for (const [kind, by] of counts) if (by !== 0) statements.count.run(by, kind);
        statements.dropEmpty.run();
      },
    };
  };
}

/** Exchanges read of one kind at a time. */
const mostAhead = 64;

/**
 * Lists exchanges by what has few values, newest first, by merging the kinds that fit; those of a
 * practice period by period.
 * @param keys keys.sqlite, to read
 */
export function createKindSearch(
  keys: Database,
): (selection: Selection, limit: number) => Iterable<ExchangeId> {
  const heads = keys.prepare<[object], Head>(list.heads);
  const kinds = keys.prepare<[object], number>(list.kinds).pluck();
  const periods = keys.prepare<[object], { id: number; first: ExchangeId }>(list.periods);
  const headOfPractice = keys.prepare<unknown[], Head>(list.headOfPractice);
  const ids = keys.prepare<[object], ExchangeId>(list.ofKind).pluck();
  const idsOfPractice = keys.prepare<unknown[], ExchangeId>(list.ofPractice).pluck();

  /** What is merged: all there is at once, or one period after another. */
  function* parts(selection: Selection): Generator<{ heads: Head[]; idsOf: IdsOf }> {
    const { practice, since = 0, until = Number.MAX_SAFE_INTEGER } = selection;
    const named = namedIn(selection);
    if (practice === undefined) {
      const idsOf: IdsOf = (kind, before, most) => {
        return ids.all({ kind, since, until: before - 1, most });
      };
      yield { heads: heads.all({ ...named, since, until }), idsOf };
      return;
    }
    const fitting = kinds.all(named);
    for (const { id: period, first } of periods.all({ until })) {
      const headFrom = (kind: number) => headOfPractice.get(period, practice, kind, since, until);
      const idsOf: IdsOf = (kind, before, most) =>
        idsOfPractice.all(period, practice, kind, since, before - 1, most);
      yield { heads: [...headsOf(fitting, headFrom)], idsOf };
      if (first <= since) return;
    }
  }

  return function* newest(selection, limit) {
    let left = limit;
    for (const { heads, idsOf } of parts(selection)) {
      for (const id of merged(heads, idsOf, Math.min(mostAhead, limit))) {
        yield id;
        left -= 1;
        if (left <= 0) return;
      }
    }
  };
}

interface Head {
  kind: number;
  /** The newest exchange of it. */
  head: ExchangeId | null;
}

/** Exchanges of a kind before one, newest first. */
type IdsOf = (kind: number, before: ExchangeId, most: number) => ExchangeId[];

/**
 * Those of some kinds, where most of them have none: each look goes on to the next that has.
 * @param kinds in order
 * @param headFrom the head of this kind or, where it has none, of the next that has one
 */
function* headsOf(kinds: readonly number[], headFrom: (kind: number) => Head | undefined) {
  for (let at = 0; at < kinds.length;) {
    const found = headFrom(kinds[at] ?? 0);
    if (!found) return;
    while ((kinds[at] ?? Infinity) < found.kind) at += 1;
    if (kinds[at] !== found.kind) continue;
    yield found;
    at += 1;
  }
}

/** The exchanges of some kinds, newest first. @param most how many are read of one at a time */
function* merged(heads: readonly Head[], idsOf: IdsOf, most: number): Generator<ExchangeId> {
  const runs = heads
    .flatMap(({ kind, head }) => (head === null ? [] : { kind, head, ahead: [] as number[] }))
    .sort((a, b) => a.head - b.head);
  for (let run = runs.pop(); run; run = runs.pop()) {
    yield run.head;
    if (run.ahead.length === 0) {
      run.ahead = idsOf(run.kind, run.head, most).reverse();
    }
    const head = run.ahead.pop();
    if (head === undefined) continue;
    run.head = head;
    insert(runs, run);
  }
}

/** Into a list whose last is the newest. */
function insert<Run extends { head: number }>(runs: Run[], run: Run): void {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle]?.head ?? 0) < run.head) low = middle + 1;
    else high = middle;
  }
  runs.splice(low, 0, run);
}

const namedIn = ({ channel, state, fault, sender, type }: Selection) => ({
  channel: channel ?? null,
  state: state ?? null,
  fault: fault ?? null,
  sender: sender ?? null,
  type: type ?? null,
});

/** How far a walk over the exchanges of some kinds has come: on after this one. */
export interface Cursor {
  kind: number;
  exchange: ExchangeId;
}

/** Where a walk begins. */
export const start: Cursor = { kind: 0, exchange: 0 };

/**
 * Walks over the exchanges of a channel before a time, kind by kind, some at a time.
 * @param keys keys.sqlite, to read
 */
export function createKindWalk(keys: Database) {
  const kinds = keys.prepare<[object], number>(find.kindsOf).pluck();
  const next = keys.prepare<[object], number>(find.nextOfKind).pluck();

  /** @returns the exchanges, and how far that is; undefined where there are no more */
  return (
    of: { channel: number; state: string | null; before: number },
    after: Cursor,
    most: number,
  ): { exchanges: ExchangeId[]; last: Cursor | undefined } => {
    const exchanges: ExchangeId[] = [];
    let last: Cursor | undefined;
    for (const kind of kinds.all({ ...of, from: after.kind })) {
      const left = most - exchanges.length;
      if (left <= 0) break;
      const from = kind === after.kind ? after.exchange : 0;
      const found = next.all({ kind, after: from, before: of.before, most: left });
      if (found.length > 0) last = { kind, exchange: found.at(-1) ?? 0 };
      exchanges.push(...found);
    }
    return { exchanges, last };
  };
}
