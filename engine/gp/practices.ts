/**
 * The practice table: a CSV file in which a site names, practice by practice, where records are
 * asked for. It stands before the directory, for practices the directory does not know or whose
 * record comes from an HL7 v2 system.
 */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { ConfigError, type Finding, readText, shortPath } from '../config/yaml.ts';
import { isHttpUrl } from './address.ts';
import { failed } from './outcome.ts';
import type { Endpoint, LocateEndpoint, Outcome } from './port.ts';

/** Columns of the table; those a kind has no use for stay empty or away. */
export const practiceColumns = [
  'ods',
  'name',
  'kind',
  'address',
  'asid',
  'destination',
  'commissioner',
] as const;
/** The columns of a new table, as its first line. */
export const practiceHeader = practiceColumns.join(',');

const empty = z.literal('', 'has no meaning for this kind; leave it empty').default('');
const named = {
  ods: z
    .string()
    .regex(/^[A-Za-z0-9]{3,10}$/, 'an ODS code is needed: 3 to 10 letters and digits')
    .transform((code) => code.toUpperCase()),
  name: z.string().default(''),
  // Kept by `practice import`: whose lists the row came with.
  commissioner: z.string().default(''),
};
const rowSchema = z.discriminatedUnion('kind', [
  z
    .object({
      ...named,
      kind: z.literal('gpconnect'),
      address: z
        .string()
        .default('')
        .refine((text) => text === '' || isHttpUrl(text), {
          error: 'the http or https address of the service is needed',
        }),
      asid: z
        .string()
        .default('')
        .refine((text) => /^(\d{12})?$/.test(text), {
          error: 'the ASID of the service is needed: 12 digits',
        }),
      destination: z.string().default(''),
    })
    .refine(({ address, asid }) => (address === '') === (asid === ''), {
      path: ['asid'],
      error: 'address and ASID belong together: give both, or neither to ask the directory',
    }),
  ...(['mllp', 'cdg'] as const).map((kind) =>
    z.object({
      ...named,
      kind: z.literal(kind),
      address: empty,
      asid: empty,
      destination: z.string().min(1, `the name of a destination of kind ${kind} is needed`),
    }),
  ),
]);

/** One row: where one practice's record is asked for. */
export type Practice = z.output<typeof rowSchema> & {
  /** Of the file, where it stands. */
  line: number;
};
/** The table, by ODS code in capitals. */
export type Practices = ReadonlyMap<string, Practice>;

/**
 * Read a practice table.
 * @param text the content, where it has been read already
 * @throws ConfigError with every finding of the file, each with `file:line`
 */
export function loadPractices(file: string, text = readText(file)): Practices {
  const findings: Finding[] = [];
  const finding = (line: number, says: string, next?: string) =>
    findings.push({ severity: 'error', where: `${shortPath(file)}:${line}`, says, next });
  const practices = new Map<string, Practice>();
  const lineOf = new Map<string, number>();
  for (const { record, line } of recordsOf(text, finding)) {
    const read = rowSchema.safeParse(record);
    if (!read.success) {
      for (const issue of read.error.issues) {
        const column = String(issue.path[0]);
        finding(
          line,
          column === 'kind'
            ? '"kind": gpconnect, mllp or cdg is needed'
            : `"${column}": ${issue.message}`,
        );
      }
      continue;
    }
    const { ods } = read.data;
    const earlier = lineOf.get(ods);
    if (earlier) finding(line, `practice ${ods} stands in line ${earlier} too`, 'keep one of them');
    lineOf.set(ods, line);
    practices.set(ods, { ...read.data, line });
  }
  if (findings.length > 0) throw new ConfigError(findings);
  return practices;
}

/** The records of a CSV file with their lines; findings for what is no record. */
function recordsOf(
  text: string,
  finding: (line: number, says: string, next?: string) => void,
): { record: Record<string, string>; line: number }[] {
  const columns = practiceHeader;
  let header = true;
  try {
    const rows = parse(text, {
      bom: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      trim: true,
      comment: '#',
      comment_no_infix: true,
      skip_empty_lines: true,
      relax_column_count: true,
      info: true,
      columns: (names: string[]) => {
        for (const name of names) {
          if ((practiceColumns as readonly string[]).includes(name)) continue;
          finding(1, `unknown column "${name}"`, `columns known here: ${columns}`);
        }
        for (const name of ['ods', 'kind']) {
          if (!names.includes(name)) {
            finding(1, `the column "${name}" is missing`, `the first line is ${columns}`);
            header = false;
          }
        }
        return names;
      },
    }) as unknown as { record: Record<string, string>; info: { lines: number; error?: unknown } }[];
    // Without its columns no row can be right; one finding says more than one for each row.
    if (!header) return [];
    for (const { info } of rows) {
      if (info.error)
        finding(info.lines, 'this row has another number of values than the first line');
    }
    return rows.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { lines?: number };
    finding(
      lines ?? 1,
      `this is not CSV: ${error.code}`,
      'quote values that hold commas or quotes',
    );
    return [];
  }
}

/** What becomes of practices that the table does not name. */
export type Unlisted = 'directory' | 'refuse';

/**
 * Locate by the table, and by the directory what the table leaves to it: a row without an address, and
 * (`unlisted: directory`) a practice without a row.
 * @param destination the GP Connect destination to ask through, where a row names none
 * @param directory where there is one
 */
export function locateByTable(
  practices: Practices,
  destination: string,
  unlisted: Unlisted,
  directory?: LocateEndpoint,
): LocateEndpoint {
  return async (practice, asker, attempt) => {
    const row = practices.get(practice.toUpperCase());
    const endpoint = row && endpointOf(row, destination);
    if (endpoint) return { event: 'found', value: endpoint, hops: [] };
    if (directory && (row || unlisted === 'directory')) return directory(practice, asker, attempt);
    return unlistedPractice();
  };
}

/** A locator of another of a practice's services, for practices that the table names. */
export function listedOnly(practices: Practices, locate: LocateEndpoint): LocateEndpoint {
  return async (practice, asker, attempt) =>
    practices.has(practice.toUpperCase()) ? locate(practice, asker, attempt) : unlistedPractice();
}

function unlistedPractice(): Outcome<never> {
  return failed(
    { name: 'practiceNotEnabled', detail: 'not in the practice table' },
    [],
    'notFound',
  );
}

/** Undefined where the directory has to be asked. */
function endpointOf(row: Practice, destination: string): Endpoint | undefined {
  if (row.kind !== 'gpconnect') return { kind: row.kind, name: row.destination };
  const { address, asid } = row;
  if (address === '') return undefined;
  return { kind: 'gpconnect', name: row.destination || destination, address, asid };
}
