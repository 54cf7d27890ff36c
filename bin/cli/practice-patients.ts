/** `gatehouse practice import --patients`: where patients are registered, into the patient index. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { appendLine } from '../../engine/journal/durable-file.ts';
import { type ListedCounts, openPatientIndex } from '../../engine/journal/listed.ts';
import {
  type PatientSkip,
  createPatientList,
  parseDate,
  patientSkips,
} from '../../engine/practices/patient-list.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { type Progress, withProgress } from './progress.ts';

interface PatientsOptions {
  patients: string;
  asOf?: string;
  data: string;
  keyFile?: string;
  dryRun?: boolean;
  apply?: boolean;
  yes?: boolean;
  reason?: string;
  output: Form;
}

/** Import a list of patients. @returns 5 (with --apply) or 6 where rows could not be taken */
export async function importPatients(
  list: string | undefined,
  options: PatientsOptions,
): Promise<number> {
  const { patients: file, asOf: date } = options;
  if (list !== undefined) throw new CommandError('a list of practices or --patients, not both');
  if (options.apply && options.dryRun) throw new CommandError('--apply or --dry-run, not both');
  const asOf = date === undefined ? undefined : parseDate(date);
  if (date !== undefined && (asOf === undefined || asOf > Date.now())) {
    throw new CommandError(`--as-of: "${date}" is no date up to today`, 'write it as 2026-06-04');
  }
  if (file !== '-' && !existsSync(file)) {
    const next = 'check its name and the current folder';
    throw new CommandError(`there is no file ${file}`, next, exits.notFound);
  }
  const folder = resolve(options.data);
  if (!existsSync(join(folder, 'journal.sqlite'))) {
    throw new CommandError(
      `there is no journal in ${options.data}`,
      'start the engine once, or name the folder with --data',
      exits.notFound,
    );
  }
  if (options.apply) await confirm(`Bring ${file} into the patient index?`, options.yes);
  const found = createPatientList({ asOf, now: Date.now() });
  const digest = createHash('sha256');
  const index = options.apply ? openPatientIndex(folder, { keyFile: options.keyFile }) : undefined;
  let isWhole = false;

  const work = async (progress: Progress): Promise<void> => {
    const write = async () => {
      for (const rows of index?.write() ?? []) await progress.step(rows);
    };
    const take = async (rows: Iterable<[string, string, number]>) => {
      let waiting = 0;
      for (const row of rows) {
        if (index?.add(...row)) await write();
        waiting += 1;
      }
      await progress.step(index ? 0 : waiting);
    };
    const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
    input.setEncoding('utf8');
    // A pipe may have nothing to say for a long time.
    addAbortSignal(progress.signal, input);
    for await (const piece of input as AsyncIterable<string>) {
      digest.update(piece);
      await take(found.piece(piece));
    }
    await take(found.end());
    await write();
    isWhole = true;
  };
  try {
    const doing = index ? 'importing' : 'reading';
    await withProgress({ doing, unit: 'patients' }, work);
  } finally {
    index?.close();
    if (index) {
      record(folder, {
        list: basename(file),
        sha256: isWhole ? digest.digest('hex').slice(0, 12) : undefined,
        whole: isWhole,
        rows: found.read.rows,
        ...index.counts,
        reason: options.reason,
      });
    }
  }
  const { read } = found;
  const skipped = Object.values(read.skipped).reduce((a, b) => a + b, 0);
  const value = {
    applied: index !== undefined,
    list: file,
    rows: read.rows,
    ...(index?.counts ?? {}),
    skipped: read.skipped,
    first: read.first.map(({ line, why }) => ({
      where: `${file}:${line}`,
      says: patientSkips[why],
    })),
  };
  printOne(options.output, 'patientImport', value, () => {
    print(`${file}: ${amount(read.rows)} rows, ${amount(read.rows - skipped)} patients`);
    if (index) tellCounts(index.counts);
    for (const [why, count] of Object.entries(read.skipped)) {
      if (count > 0) print(`skipped: ${amount(count)} with ${patientSkips[why as PatientSkip]}`);
    }
    for (const { where, says } of value.first) {
      print(`${style('yellow', 'malformed')} ${where}  ${says}`);
    }
  });
  if (!index) say('nothing was changed; --apply does it');
  if (skipped === 0) return exits.ok;
  return index ? exits.partly : exits.findings;
}

function tellCounts({ stored, same, later, merged }: ListedCounts): void {
  const kept = [
    `${amount(same)} as they were`,
    ...(later > 0 ? [`${amount(later)} kept: the index has a later word`] : []),
    ...(merged > 0 ? [`${amount(merged)} kept: merged into another patient`] : []),
  ];
  print(`${amount(stored)} stored, ${kept.join(', ')}`);
}

/** Which list, when, by whom and why; no patient. */
function record(folder: string, what: object): void {
  const line = { at: new Date().toISOString(), user: whoAsks(), ...what };
  appendLine(join(folder, 'imports.ndjson'), JSON.stringify(line), 0o600);
}

const amount = (n: number): string => n.toLocaleString('en-GB');
