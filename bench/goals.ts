/**
 * What we hold ourselves to, as ratios of one run: only they carry over to another machine. Nothing
 * in the tests depends on them.
 */
import type { Results, ServerRow } from './figures.ts';

export interface Verdict {
  goal: string;
  /** As measured; undefined where it was not, or where there is no figure. */
  measured?: number;
  bound: string;
  /** Undefined where it was not measured. */
  met?: boolean;
  /** Why there is no figure. */
  because?: string;
}

type Pick = (row: ServerRow) => number | undefined;

const shareOfEcho: Pick = (row) => row.share?.median;
const shareOfSyncs: Pick = (row) => row.syncShare?.median;
const p99OfEcho: Pick = (row) => row.p99Times?.median;
const rate: Pick = (row) => row.perSecond?.median;

/** Every goal of what was measured. */
export function judge(results: Results): Verdict[] {
  const { servers, edits, mappings } = results;
  const verdicts: Verdict[] = [];
  const row = (subject: string, connections: number) =>
    servers.find((one) => one.subject === subject && one.connections === connections);

  const adt = (connections: number, what: string, pick: Pick, least?: number, most?: number) => {
    const found = row('adt', connections);
    if (!found) return;
    const goal = `durable acknowledgement at ${connections}: ${what}`;
    verdicts.push(verdict(goal, pick(found), least, most, found.failure));
  };
  adt(1, 'of the fdatasync rate', shareOfSyncs, 0.45);
  adt(8, 'of the bare echo', shareOfEcho, 0.11);
  adt(32, 'of the bare echo', shareOfEcho, 0.3);
  adt(64, 'of the bare echo', shareOfEcho, 0.4);
  for (const connections of [32, 64]) {
    adt(connections, 'p99, times that of the echo', p99OfEcho, undefined, 5);
  }
  for (const { connections } of servers.filter((one) => one.subject === 'adt')) {
    // The only way in which it answers rightly: a connection for each message.
    const peer = row('node-hl7-server reconnecting', connections);
    const mine = row('adt', connections);
    const [ours, theirs] = [mine && rate(mine), peer && rate(peer)];
    if (!mine || !peer) continue;
    const goal = `durable acknowledgement at ${connections}: times node-hl7-server, which stores nothing`;
    const times = ours !== undefined && theirs ? ours / theirs : undefined;
    verdicts.push(verdict(goal, times, 1, undefined, mine.failure ?? peer.failure));
  }
  if (results.beside) {
    const goal = 'small queries beside records of 3 MB: milliseconds more at p99';
    verdicts.push(verdict(goal, results.beside.more.median, undefined, 20));
    const held = 'the event loop beside records of 3 MB: milliseconds held at longest';
    verdicts.push(verdict(held, results.beside.turn.median, undefined, 20));
  }
  const own = edits.find(({ library }) => library === 'gatehouse');
  if (own) {
    const goal = 'parse, edit and serialise a 1 KB ADT: a second';
    verdicts.push(verdict(goal, own.perSecond.median, 100_000));
  }
  for (const { record, part, kilobytes, times } of mappings) {
    const large = kilobytes > 1024;
    // The four datasets of a usual record, and everything of the largest.
    if (part === 'everything' && !large) continue;
    const goal = `mapping ${record} (${kilobytes.toFixed(0)} KB): times its JSON.parse`;
    // What a large record costs beyond its reading is read apart (engine/apart).
    verdicts.push(verdict(goal, times.median, undefined, large ? 2 : 1));
  }
  return verdicts;
}

function verdict(
  goal: string,
  measured: number | undefined,
  least?: number,
  most?: number,
  because?: string,
): Verdict {
  const bound = least === undefined ? `≤ ${most}` : `≥ ${least}`;
  if (measured === undefined) return { goal, bound, because };
  return { goal, measured, bound, met: measured >= (least ?? 0) && measured <= (most ?? Infinity) };
}
