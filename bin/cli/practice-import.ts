/** `gatehouse practice import` and `diff`: a list of practices from ODS, and the table of a channel. */
import { createHash } from 'node:crypto';

import { basename } from 'node:path';
import { shortPath } from '../../engine/config/yaml.ts';
import { type OdsList, readOdsList } from '../../engine/practices/ods-list.ts';
import {
  type Edit,
  type Plan,
  type Route,
  editOf,
  planImport,
} from '../../engine/practices/plan.ts';
import {
  type TableFile,
  TableRefusal,
  edited,
  readTable,
  replaceTable,
} from '../../engine/practices/table-file.ts';
import { exits } from './exits.ts';
import { type Form, printListing, printOne } from './form.ts';
import { readInput } from './input.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { asTheList, changesOf, countsOf, tellImport, tellUntaken } from './practice-words.ts';
import { commissionersOf, tableFor } from './practice-tables.ts';
import { soundSite } from './sites.ts';

export interface ListOptions {
  site?: string;
  commissioner?: string[];
  channel?: string;
  to?: string;
  output: Form;
}

interface ImportOptions extends ListOptions {
  prune?: boolean;
  reroute?: boolean;
  dryRun?: boolean;
  apply?: boolean;
  yes?: boolean;
  reason?: string;
}

/** What was read and compared. */
export interface Compared {
  file: string;
  digest: string;
  list: OdsList;
  table: TableFile;
  to: Route;
  commissioners: ReadonlySet<string>;
  plan: Plan;
}

/**
 * Import a list.
 * @returns 6 where rows are malformed, practices stay with another destination, or a commissioner has
 *   none; 5 where it was applied without them
 */
export async function importPractices(
  list: string | undefined,
  options: ImportOptions,
): Promise<number> {
  if (list === undefined) {
    throw new CommandError('which list? epraccur.csv, or --patients with a list of patients');
  }
  if (options.to === undefined) {
    throw new CommandError('by way of which destination? --to names it', 'gatehouse channel list');
  }
  if (options.apply && options.dryRun) throw new CommandError('--apply or --dry-run, not both');
  const compared = compare(list, options);
  const { plan, to, table } = compared;
  if (options.prune && compared.list.malformed.length > 0) {
    const [first] = compared.list.malformed;
    throw new CommandError(
      `--prune with a list that has malformed rows would remove practices that are in it (${list}:${first?.line} ${first?.says})`,
      'get the list anew, or import it without --prune',
      exits.failed,
    );
  }
  const edit = editOf(plan, to, options);
  const counts = countsOf(edit, plan);
  const hasChanges = edit.put.length + edit.drop.length > 0;
  if (options.apply && hasChanges) {
    await confirm(`Change ${shortPath(table.file)}: ${counts}?`, options.yes);
    change(table, edit, commentOf(compared, counts, options.reason));
  }
  const applied = options.apply === true;
  const kept = options.reroute ? 0 : plan.elsewhere.length;
  printOne(options.output, 'practiceImport', asData(compared, applied), () =>
    tellImport(compared, options),
  );
  if (applied && hasChanges) {
    say(`${shortPath(table.file)} is changed: ${counts}`);
    say('next: gatehouse config check && gatehouse config apply');
  } else if (hasChanges) {
    say('nothing was changed; --apply does it');
  } else {
    const gone = options.prune ? 0 : plan.gone.length;
    say(gone > 0 ? 'there is nothing to change without --prune' : 'there is nothing to change');
  }
  if (compared.list.malformed.length + compared.list.empty.length + kept === 0) return exits.ok;
  return applied ? exits.partly : exits.findings;
}

function change(table: TableFile, edit: Edit, comment: string): void {
  try {
    replaceTable(table, edited(table, edit, comment));
  } catch (error) {
    if (!(error instanceof TableRefusal)) throw error;
    throw new CommandError(`${error.message}; nothing was changed`, error.next, exits.failed);
  }
}

/**
 * List what an import would change.
 * @returns 6 where there is anything, or something of the list cannot be taken
 */
export async function diff(list: string, options: ListOptions): Promise<number> {
  const { plan, table, to, list: read } = compare(list, options);
  const { malformed, empty } = read;
  const rows = changesOf(plan, table, to);
  printListing(options.output, {
    kind: 'practiceDiff',
    key: 'changes',
    rows,
    columns: [
      { title: 'CHANGE', cell: ({ change }) => change },
      { title: 'ODS', cell: ({ ods }) => ods },
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'COMMISSIONER', cell: ({ commissioner }) => commissioner },
      { title: 'WHAT', cell: ({ what }) => what },
      { title: 'WHERE', cell: ({ where }) => where, wide: true },
    ],
    beside: {
      ...{ table: shortPath(table.file), to: to.destination, same: plan.same },
      ...{ malformed: malformedIn(list, read), withoutPractice: empty },
    },
  });
  if (rows.length === 0) say(`there is nothing to change: ${asTheList(plan.same)}`);
  const untaken = malformed.length + empty.length;
  if (untaken > 0) tellUntaken(list, read, say);
  return rows.length + untaken > 0 ? exits.findings : exits.ok;
}

function compare(file: string, options: ListOptions): Compared {
  const commissioners = commissionersOf(options.commissioner);
  const { table: found, route: to, byDefault } = tableFor(soundSite(options.site), options);
  const bytes = readInput(file);
  const list = readOdsList(bytes, commissioners);
  if (list.rows === list.malformed.length) {
    const [first] = list.malformed;
    throw new CommandError(
      `${file} is not epraccur.csv: ${first ? `line ${first.line}: ${first.says}` : 'it is empty'}`,
      'get it from https://www.odsdatasearchandexport.nhs.uk/api/getReport?report=epraccur',
      exits.failed,
    );
  }
  const table = readTable(found.file);
  const plan = planImport(list, table.practices, to, commissioners, byDefault);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  return { file, digest, list, table, to, commissioners, plan };
}

/** Stands in the table, for whoever reads it later. */
function commentOf(
  { file, digest, to, commissioners }: Compared,
  counts: string,
  reason: string | undefined,
): string {
  const day = new Date().toISOString().slice(0, 10);
  const whose = commissioners.size > 0 ? ` for ${[...commissioners].join(' ')}` : '';
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${day} ${whoAsks()}: ${basename(file)} (sha256 ${digest})${whose} to ${to.destination}, ${counts}${why}`;
}

const malformedIn = (file: string, { malformed }: OdsList) =>
  malformed.map(({ line, says }) => ({ where: `${file}:${line}`, says }));

function asData(
  { file, digest, list, table, to, plan, commissioners }: Compared,
  applied: boolean,
) {
  return {
    applied,
    list: file,
    sha256: digest,
    table: shortPath(table.file),
    to: to.destination,
    commissioners: [...commissioners],
    rows: list.rows,
    practices: list.practices.size,
    skipped: { ...list.skipped, malformed: list.malformed.length },
    malformed: malformedIn(file, list),
    withoutPractice: list.empty,
    same: plan.same,
    changes: changesOf(plan, table, to),
  };
}
