/**
 * What the GP system answered, area by area: the status line that opens each dataset. "Nothing
 * recorded", "disabled", "withheld" and "could not ask" are four different answers and are never
 * confused (GP Connect 1.6, lists for message structure; warning codes and notes).
 */
import type { Dataset } from '../gp/port.ts';
import { extensionName, member, textOf } from './evaluate.ts';
import type { DataStatus, MappedDataset, MappedRecord, MappedSegment } from './mapped.ts';
import { type IndexedRecord, type Resource, identityOf } from './record.ts';
import type { PrimaryList } from './schema.ts';
import type { Table } from './tables.ts';

export interface Status {
  status: DataStatus;
  warning?: string;
}

/** What is known of one primary list. */
export interface AreaStatus {
  statuses: Status[];
  /** Words of the GP system, verbatim. */
  notes: string[];
  /** Where they were read; for provenance. */
  source: string;
}

const names: Record<Exclude<DataStatus, 'W'>, string> = {
  C: 'Complete',
  E: 'Nothing recorded',
  D: 'Disabled',
  U: 'Unavailable',
};

/**
 * Warning for what a list names but the reply does not hold, or could not be carried. GP Connect
 * has no code for it; it is ours.
 */
export const notSupplied = 'items-not-supplied';

/** Warning for a search that was limited to a time. Ours, too. */
export const searchLimited = 'search-limited';

/** Warning for a list, or something in it, that the GP system itself calls no longer valid. Ours. */
export const notCurrent = 'not-current';

/**
 * The beginnings of the words GP Connect lays down for its warnings: where they came without their
 * code they mean the same, and "nothing recorded" or "complete" must not stand above them.
 */
const warningWords: readonly [words: string, code: string][] = [
  ['items excluded due to confidentiality', 'confidential-items'],
  ['patient record transfer from previous gp practice not yet complete', 'data-in-transit'],
  [
    'patient data may be incomplete as there is data supplied by a third party',
    'data-awaiting-filing',
  ],
];

/** The codes of the warnings whose words stand in a text. */
export function warningsSaid(text: string): string[] {
  const said = text.toLowerCase();
  return warningWords.flatMap(([words, code]) => (said.includes(words) ? code : []));
}

/** What carrying the items of a list brought to light. */
export interface Carried {
  /** References that led nowhere, and things no rule could carry. */
  missing: readonly string[];
  /** Warning texts of our own, with their codes. */
  cautions: readonly { code: string; text: string }[];
}

/**
 * The status of one area.
 * @param emptyReasons table of List.emptyReason codes to E, U or W; what is not in it counts as U
 */
export function areaStatus(
  record: IndexedRecord,
  area: PrimaryList,
  carried: Carried,
  emptyReasons: Table | undefined,
): AreaStatus {
  const lists = record.lists(area.code);
  const statuses: Status[] = [];
  const notes: string[] = [];
  const state = (status: DataStatus, warning?: string) => {
    if (!statuses.some((one) => one.status === status && one.warning === warning)) {
      statuses.push(warning === undefined ? { status } : { status, warning });
    }
  };
  const say = (text: string | undefined) => {
    if (text !== undefined && !notes.includes(text)) notes.push(text);
  };

  const issues = record.issues.filter((issue) => concerns(issue, area));
  for (const issue of issues) {
    // "… has been disabled" is a decision of the practice; "… is an unrecognised parameter" is a
    // system that cannot answer.
    state(saysDisabled(issue.text) ? 'D' : 'U');
    say(issue.text ?? issue.diagnostics);
  }
  let entries = 0;
  const reasons: DataStatus[] = [];
  for (const list of lists) {
    for (const code of warningCodes(list)) state('W', code);
    for (const text of texts(list)) {
      say(text);
      for (const code of warningsSaid(text)) state('W', code);
    }
    const standing = textOf(list.status);
    if (standing !== undefined && standing !== 'current') {
      state('W', notCurrent);
      say(`Status of this list, according to the GP system: ${standing}`);
    }
    if (list.mode === 'changes') {
      state('W', notCurrent);
      say('This list holds changes alone, according to the GP system');
    }
    for (const entry of member([list], 'entry')) {
      const [item] = member([entry], 'item');
      const display = textOf(member([item], 'display')[0]);
      const [reference] = member([item], 'reference').map(textOf);
      if (reference !== undefined && member([entry], 'deleted')[0] === true) {
        state('W', notCurrent);
        say(`Marked as deleted by the GP system: ${reference}`);
      }
      if (member([item], 'reference').length > 0) entries++;
      else {
        if (display !== undefined && saysDisabled(display)) state('D');
        else state('W', notSupplied);
        say(display);
      }
    }
    const reason = emptyReasonOf(list);
    if (reason) {
      const row = emptyReasons?.rows.get(reason);
      reasons.push((row?.value as DataStatus | undefined) ?? 'U');
    }
  }
  for (const reference of carried.missing) {
    state('W', notSupplied);
    const isThere = [undefined, ...lists].some(
      (list) => record.versions(reference, list).length > 0,
    );
    const what = isThere ? 'not of a kind that is carried here' : 'not supplied';
    say(`Listed by the GP system but ${what}: ${reference}`);
  }
  for (const { code, text } of carried.cautions) {
    state('W', code);
    say(text);
  }
  conclude(statuses, { listed: lists.length > 0, entries, reasons }, state);
  const read = [...lists.map(identityOf), ...issues.map(({ from }) => from)];
  const source = [...new Set(read)].join(', ') || 'Bundle';
  return { statuses, notes, source };
}

/**
 * C and E are said only where nothing speaks against them: never "complete" beside a warning that
 * something is missing, never "nothing recorded" where items were withheld, are still in transit, or the area is
 * disabled.
 */
function conclude(
  statuses: readonly Status[],
  { listed, entries, reasons }: { listed: boolean; entries: number; reasons: DataStatus[] },
  state: (status: DataStatus, warning?: string) => void,
): void {
  const has = (status: DataStatus) => statuses.some((one) => one.status === status);
  if (!listed) {
    if (statuses.length === 0) state('U');
    return;
  }
  if (entries > 0) {
    if (statuses.length === 0) state('C');
    return;
  }
  if (has('D') || has('U')) return;
  const incomplete = has('W');
  if (reasons.length === 0) {
    // An empty list that gives no reason says nothing; it must not read as "nothing recorded".
    if (statuses.length === 0) state('U');
    return;
  }
  for (const reason of reasons) {
    if (reason === 'W') state('W', 'withheld');
    else if (reason !== 'E') state(reason);
    else if (!incomplete) state('E');
  }
}

/** A status as OBX-5 holds it: `C^Complete^L`, `W^confidential-items^L`. */
export function statusValue({ status, warning }: Status): string[] {
  return status === 'W' ? ['W', warning ?? '', 'L'] : [status, names[status], 'L'];
}

/** The status line and its notes; the heading, where there is one, comes first. */
export function statusSegments(
  area: Pick<PrimaryList, 'status' | 'heading'>,
  found: AreaStatus,
  provenance: { number: number; rule?: string },
): { segment: MappedSegment; notes: { text: string; rule?: string; source?: string }[] } {
  const values = found.statuses.map(statusValue);
  const segment: MappedSegment = {
    name: 'OBX',
    fields: [
      undefined,
      String(provenance.number),
      'CE',
      [['GPREC.STATUS', 'Data status', 'L']],
      area.status,
      values,
    ],
  };
  segment.fields[11] = 'F';
  const { rule } = provenance;
  const { source } = found;
  if (rule !== undefined) {
    segment.trace = values.map((_, i) => ({ target: `OBX-5(${i + 1})`, rule, source }));
  }
  const heading =
    area.heading === undefined ? [] : [{ text: area.heading, rule, source: 'constant' }];
  return { segment, notes: [...heading, ...found.notes.map((text) => ({ text, rule, source }))] };
}

/**
 * The answer for datasets that could not be asked for at all: every one U, and nothing else.
 * @param text why, in words for the clinician
 */
export function unavailableRecord(datasets: readonly Dataset[], text: string): MappedRecord {
  return {
    patient: [],
    datasets: [...new Set(datasets)].map((dataset, i): MappedDataset => {
      const status: Status[] = [{ status: 'U' }];
      const found = { statuses: status, notes: [text], source: 'Gatehouse' };
      const { segment } = statusSegments({ status: dataset }, found, { number: i + 1 });
      const note: MappedSegment = { name: 'NTE', fields: [undefined, '1', undefined, text] };
      const lines = [segment, note];
      const groups = [{ code: dataset, title: dataset, lines, items: [] }];
      return { dataset, status, items: 0, groups, segments: lines };
    }),
    warnings: [],
  };
}

/** Whether an issue is about the parameter that asks for this list. */
export function concerns(
  issue: IndexedRecord['issues'][number],
  { parameter }: PrimaryList,
): boolean {
  const words = `${issue.diagnostics ?? ''} ${issue.text ?? ''}`.split(/[^A-Za-z]+/);
  return words.includes(parameter);
}

const saysDisabled = (text: string | undefined) =>
  text?.toLowerCase().includes('disabled') ?? false;

/** The warnings a list carries (Extension-CareConnect-GPC-ListWarningCode-1). */
export function warningCodes(list: Resource): string[] {
  return member([list], 'extension').flatMap((one) => {
    const url = textOf(member([one], 'url')[0]) ?? '';
    if (extensionName(url) !== 'ListWarningCode') return [];
    return textOf(member([one], 'valueCode')[0]) ?? [];
  });
}

/** What a list says in words: its notes, the text of its empty reason, its security labels. */
function texts(list: Resource): string[] {
  const notes = member([list], 'note').flatMap((one) => textOf(one) ?? member([one], 'text'));
  const reasons = member(member([list], 'emptyReason'), 'text');
  const labels = member(member(member([list], 'meta'), 'security'), 'display');
  return [...notes, ...reasons, ...labels].flatMap((one) => textOf(one) ?? []);
}

function emptyReasonOf(list: Resource): string | undefined {
  const reason = member([list], 'emptyReason');
  return (
    textOf(member(member(reason, 'coding'), 'code')[0]) ?? (reason.length > 0 ? '' : undefined)
  );
}
