/**
 * NHS England's list of GP practices, `epraccur.csv`: no header, 27 columns, one prescribing cost centre
 * a line, of which GP practices are some. Both of its forms are read: the older one with a letter for
 * the status and a number for the kind, and the present one (ODS Data Search and Export) with words
 * and role codes. Whatever is not taken is counted with its reason.
 */
import { type CsvError, parse } from 'csv-parse/sync';

/** Why a row of the list is not taken. */
export type Skip = 'otherCommissioner' | 'notGpPractice' | 'closed' | 'dormant' | 'proposed';

/** A GP practice that is open. */
export interface OdsPractice {
  ods: string;
  name: string;
  /** ODS code of who commissions it: a sub-ICB location, which was a CCG. */
  commissioner: string;
  line: number;
}

export interface OdsList {
  rows: number;
  /** Those to be taken, by their code. */
  practices: Map<string, OdsPractice>;
  skipped: Record<Skip, number>;
  malformed: { line: number; says: string }[];
  /** Why a code is not among `practices`, where the list says something of it. */
  fates: Map<string, string>;
  /** Commissioners that were asked for and have no open GP practice in the list. */
  empty: string[];
}

const columnCount = 27;
/** Places of the columns, from 0. */
const at = { ods: 0, name: 1, closed: 11, status: 12, commissioner: 14, setting: 25 } as const;

const statuses: Readonly<Record<string, 'active' | 'closed' | 'dormant' | 'proposed'>> = {
  ...{ A: 'active', ACTIVE: 'active', P: 'proposed', PROPOSED: 'proposed' },
  ...{ C: 'closed', CLOSED: 'closed', INACTIVE: 'closed', D: 'dormant', DORMANT: 'dormant' },
};

/** The kinds of prescribing cost centre, by number and by ODS role. */
const settings: Readonly<Record<string, string>> = {
  ...{ 0: 'other', 1: 'walk-in centre', 2: 'out of hours', 3: 'walk-in centre and out of hours' },
  ...{ 8: 'public health', 9: 'community health', 10: 'hospital', 11: 'optometry' },
  ...{ 12: 'urgent and emergency care', 13: 'hospice', 14: 'care home', 15: 'border force' },
  ...{ 16: 'young offender institution', 17: 'secure training centre' },
  ...{ 18: 'secure children\u2019s home', 19: 'immigration removal centre', 20: 'court' },
  ...{ 21: 'police custody', 22: 'sexual assault referral centre', 24: 'justice estate' },
  ...{ 25: 'prison', RO72: 'other', RO82: 'prison', RO80: 'out of hours', RO87: 'walk-in centre' },
  ...{ RO247: 'community health', RO249: 'hospice', RO250: 'hospital', RO255: 'public health' },
  ...{ RO259: 'urgent and emergency care', RO321: 'primary care network' },
};
const gpPractice: ReadonlySet<string> = new Set(['4', 'RO76']);

interface Parsed {
  record: string[];
  info: { lines: number };
}

/**
 * Read the list.
 * @param bytes in UTF-8, or else Windows-1252
 * @param commissioners whose practices are taken; those of everybody where it is empty
 */
export function readOdsList(bytes: Uint8Array, commissioners: ReadonlySet<string>): OdsList {
  const list: OdsList = {
    rows: 0,
    practices: new Map(),
    skipped: { otherCommissioner: 0, notGpPractice: 0, closed: 0, dormant: 0, proposed: 0 },
    malformed: [],
    fates: new Map(),
    empty: [],
  };
  for (const { record, info } of recordsOf(textOf(bytes), list)) {
    take(list, record, info.lines, commissioners);
  }
  const found = new Set([...list.practices.values()].map(({ commissioner }) => commissioner));
  list.empty = [...commissioners].filter((code) => !found.has(code));
  list.malformed.sort((a, b) => a.line - b.line);
  return list;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function recordsOf(text: string, list: OdsList): Parsed[] {
  const broken = (error: CsvError | undefined) => {
    const line = Number((error as { lines?: number } | undefined)?.lines ?? 1);
    list.rows += 1;
    list.malformed.push({ line, says: `this is not CSV: ${error?.code ?? 'unreadable'}` });
    return undefined;
  };
  try {
    return parse(text, {
      bom: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      skip_records_with_error: true,
      on_skip: broken,
      info: true,
    }) as unknown as Parsed[];
  } catch (error) {
    // What follows a quote that is never closed cannot be told apart.
    broken(error as CsvError);
    return [];
  }
}

function take(
  list: OdsList,
  record: string[],
  line: number,
  commissioners: ReadonlySet<string>,
): void {
  list.rows += 1;
  const cell = (column: keyof typeof at): string => record[at[column]] ?? '';
  const ods = cell('ods').toUpperCase();
  const malformed = (says: string): void => {
    list.malformed.push({ line, says });
    if (!list.practices.has(ods)) list.fates.set(ods, 'its row is malformed');
  };
  if (record.length !== columnCount) {
    return malformed(`${record.length} columns; epraccur.csv has ${columnCount}`);
  }
  if (!/^[A-Z0-9]{3,10}$/.test(ods)) return malformed('column 1 is no ODS code');
  const status = statuses[cell('status').toUpperCase()];
  if (!status) return malformed('column 13 is no status: A, C, D, P or a word for one of them');
  if (list.practices.has(ods) || list.fates.has(ods)) return malformed(`${ods} is there twice`);

  const skip = (why: Skip, fate: string): void => {
    list.skipped[why] += 1;
    list.fates.set(ods, fate);
  };
  const commissioner = cell('commissioner').toUpperCase();
  if (commissioners.size > 0 && !commissioners.has(commissioner)) {
    return skip('otherCommissioner', `commissioned by ${commissioner || 'nobody'}`);
  }
  const kinds = cell('setting').toUpperCase().split('|');
  if (!kinds.some((kind) => gpPractice.has(kind))) {
    const names = kinds.map((kind) => settings[kind] ?? (kind || 'not stated'));
    return skip('notGpPractice', `no GP practice (${names.join(', ')})`);
  }
  if (status !== 'active') {
    const on = status === 'closed' && cell('closed') ? ` ${dateOf(cell('closed'))}` : '';
    return skip(status, `${status}${on}`);
  }
  list.practices.set(ods, { ods, name: cell('name'), commissioner, line });
}

/** `20240331` as `2024-03-31`. */
function dateOf(text: string): string {
  return text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
}
