/**
 * Applies a mapping to one GP record: from a FHIR STU3 Bundle to segments with their provenance.
 * Pure: no clock but `options.now`, no I/O, and the Bundle is never changed.
 */
import { FaultError } from '../faults.ts';
import type { CodeNaming } from './coded.ts';
import { leavesBelow, unreadElements } from './coverage.ts';
import { recordVariable } from './evaluate.ts';
import { createReader } from './answered.ts';
import { withBeside } from './beside.ts';
import { createLayout } from './layout.ts';
import type { CompiledMappings } from './load.ts';
import type { MappedRecord } from './mapped.ts';
import { indexRecord } from './record.ts';
import { type MapOptions, type Run, leftNote, warn } from './scope.ts';
import { bearerOf } from './segments.ts';
import { summaryRows } from './summary.ts';

export type { MapOptions } from './scope.ts';

/**
 * Map a GP record.
 * @param compiled what `loadMappings` gave
 * @param bundle a parsed STU3 Bundle; anything else gives datasets that are all unavailable
 * @returns the patient's segments, and for each dataset asked for its status line and its items
 * @throws FaultError `codeUnknown` where a rule says so; `mappingFailed` where a rule cannot be
 *   applied and leaving its part out would be a silent loss. Nothing else.
 */
export function mapRecord(
  compiled: CompiledMappings,
  bundle: unknown,
  options: MapOptions,
): MappedRecord {
  const run = startRun(compiled, bundle, options);
  try {
    const layout = createLayout(compiled, run);
    const asked = [...new Set(options.datasets)];
    const own = asked.map(createReader(compiled, run));
    const answered = own.map((one) =>
      withBeside(one, options.beside ?? {}, (other, limits, dataset) => {
        const aside = { ...run, record: indexRecord(other), options: { ...options, limits } };
        return createReader(compiled, aside)(dataset);
      }),
    );
    const patient = layout.patient(asked, () => carryUnread(compiled, run));
    const datasets = answered.map((one) =>
      layout.dataset(one, one.dataset === 'PAT' ? summaryRows(answered, options.trace) : []),
    );
    const warnings = [...run.warnings].map(([text, n]) => (n > 1 ? `${text} (${n} times)` : text));
    const presented = options.trace ? new Set(run.presented.keys()) : undefined;
    return { patient, datasets, warnings, missed: run.missed, presented };
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError({ name: 'mappingFailed' }, { cause: error });
  }
}

function startRun(compiled: CompiledMappings, bundle: unknown, options: MapOptions): Run {
  const { tables, coded } = compiled;
  const systems = tables.get(coded.systems);
  const degraded = tables.get(coded.degraded);
  const own = options.codingSystems ?? {};
  const naming: CodeNaming = {
    systemName: (uri) =>
      own[uri] ?? systems?.rows.get(uri)?.value ?? (coded.unknown === 'pass' ? uri : undefined),
    isDegraded: (code) => degraded?.rows.has(code) ?? false,
  };
  const record = indexRecord(bundle);
  return {
    record,
    options,
    naming,
    variables: {
      site: [options.site ?? {}],
      profile: [options.profile],
      asked: [...options.datasets],
      version: [options.version],
      [recordVariable]: [record],
      now: [options.now.toISOString().replace(/\.\d+Z$/, 'Z')],
    },
    counters: new Map(),
    coded: new Map(),
    typed: new Map(),
    left: 0,
    presented: new Map(),
    items: new Map(),
    ...(options.trace && { missed: [] }),
    warnings: new Map(),
  };
}

/**
 * Elements of what was carried that no rule read and no row of `not-carried` names: the analyst is
 * warned of each, and the reader has it as a note of its item. The note has no provenance, so that
 * the audit finds the element until a rule or a row knows it.
 */
function carryUnread(compiled: CompiledMappings, run: Run): void {
  for (const [resource, readings] of run.presented) {
    const reading = compiled.readingOf(resource.resourceType, readings);
    // Without PAT little is asked of the patient, and what is left is no omission.
    const isAside = resource === run.record.patient && !run.options.datasets.includes('PAT');
    const left = unreadElements(resource, reading);
    if (left.length === 0) continue;
    const notes = isAside ? undefined : bearerOf(run.items.get(resource)?.segments ?? [])?.notes;
    for (const unread of left) {
      warn(run, `${unread.path}: no rule carries it`);
      for (const { path, text } of leavesBelow(unread)) {
        notes?.push({ text: `${leftNote}${path} = ${text}` });
      }
    }
  }
}
