/** What an import would change in a practice table: nothing is written here. */
import type { Practice, Practices } from '../gp/practices.ts';
import type { OdsList, OdsPractice } from './ods-list.ts';

/** By way of which destination of the channel the practices are asked. */
export interface Route {
  kind: Practice['kind'];
  destination: string;
}

/** A row as it is to stand in the table. */
export type Row = Omit<Practice, 'line'>;

export interface Plan {
  added: Row[];
  /** Asked as before, but called or commissioned otherwise. */
  changed: { row: Row; before: Practice; what: string[] }[];
  /** As they are already. */
  same: number;
  /** Asked by way of another destination. */
  elsewhere: { practice: OdsPractice; before: Practice }[];
  /** Came with an earlier import of these commissioners, and would not come with this one. */
  gone: { before: Practice; why: string }[];
}

/**
 * Compare a list with a table.
 * @param commissioners for whom the list was read; empty for everybody
 * @param byDefault the destination that is meant where a row names none
 */
export function planImport(
  list: OdsList,
  table: Practices,
  to: Route,
  commissioners: ReadonlySet<string>,
  byDefault = '',
): Plan {
  const plan: Plan = { added: [], changed: [], same: 0, elsewhere: [], gone: [] };
  const goesThere = ({ kind, destination }: Practice): boolean =>
    kind === to.kind && (destination || byDefault) === to.destination;
  for (const practice of list.practices.values()) {
    const { ods, name, commissioner } = practice;
    const before = table.get(ods);
    if (!before) {
      plan.added.push({ ods, name, ...to, address: '', asid: '', commissioner } as Row);
    } else if (!goesThere(before)) {
      plan.elsewhere.push({ practice, before });
    } else {
      const what = (['name', 'commissioner'] as const)
        .filter((key) => before[key] !== practice[key])
        .map((key) => `${key} ${before[key] || '(none)'} \u2192 ${practice[key] || '(none)'}`);
      if (what.length === 0) plan.same += 1;
      else plan.changed.push({ row: { ...rowOf(before), name, commissioner }, before, what });
    }
  }
  for (const before of table.values()) {
    const { ods, commissioner } = before;
    // A row without a commissioner was written by hand: no list says that it has gone.
    if (!commissioner || list.practices.has(ods) || !goesThere(before)) continue;
    if (commissioners.size > 0 && !commissioners.has(commissioner)) continue;
    plan.gone.push({ before, why: list.fates.get(ods) ?? 'not in the list' });
  }
  plan.added.sort((a, b) => (a.ods < b.ods ? -1 : 1));
  return plan;
}

/** A row without its place. */
export function rowOf(practice: Practice): Row {
  const row: Row & { line?: number } = { ...practice };
  delete row.line;
  return row;
}

/** Changes to a table: rows to put in, and codes to take out. */
export interface Edit {
  put: Row[];
  drop: string[];
}

/**
 * The changes that a plan comes to.
 * @param choices what else than adding and renaming was asked for
 */
export function editOf(
  plan: Plan,
  to: Route,
  { prune = false, reroute = false }: { prune?: boolean; reroute?: boolean },
): Edit {
  const moved = plan.elsewhere.map(
    ({ practice: { ods, name, commissioner } }) =>
      ({ ods, name, ...to, address: '', asid: '', commissioner }) as Row,
  );
  return {
    put: [...plan.changed.map(({ row }) => row), ...(reroute ? moved : []), ...plan.added],
    drop: prune ? plan.gone.map(({ before }) => before.ods) : [],
  };
}
