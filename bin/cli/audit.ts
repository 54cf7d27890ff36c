/** `gatehouse mapping audit BUNDLE…`: where every element of a GP record went, or why it did not. */
import { type Audit, type Fate, auditBundle } from '../../engine/audit/audit.ts';
import type { Dataset } from '../../engine/gp/port.ts';
import { FaultError, faults } from '../../engine/faults.ts';
import { leftClasses } from '../../engine/mapping/left-behind.ts';
import type { CompiledMappings } from '../../engine/mapping/load.ts';
import { exits } from './exits.ts';
import { recordReveal } from './mask.ts';
import { bundleIn, recordMapping, wanted } from './mapping.ts';
import { type Form, printRows } from './form.ts';
import { print, printTable, say, style } from './output.ts';

interface AuditOptions {
  site?: string;
  mapping: string;
  datasets?: string;
  elements?: boolean;
  reveal?: boolean;
  reason?: string;
  data: string;
  output: Form;
}

/** Fates in the order they are shown, each with what it means. */
const meanings: Readonly<Record<Fate, string>> = {
  carried: 'found in the field that its provenance names',
  ...leftClasses,
  same: 'another resource that is shown says all that this one says',
  notAsked: 'only a dataset that was not asked for names it',
  empty: 'there, and says nothing',
  unaccounted: 'neither carried nor left for a reason',
};
const fates = Object.keys(meanings) as Fate[];
/** Shown even where there are none. */
const always: readonly Fate[] = ['carried', 'unaccounted'];

/** One element path that is not accounted for. */
interface Gap {
  element: string;
  why: string;
  times: number;
  /** Where it first occurs. */
  first: string;
}

interface AuditedFile {
  file: string;
  /** Undefined where the mapping refused the bundle. */
  audit?: Audit;
  gaps: Gap[];
}

/**
 * Audit bundles one after the other and print what became of their elements.
 * @returns `findings` where any element of any bundle is unaccounted for
 */
export async function audit(files: string[], options: AuditOptions): Promise<number> {
  const compiled = recordMapping(options);
  const datasets = wanted(options.datasets);
  const audited = files.map((file) => auditFile(file, compiled, datasets));
  const { reveal, reason = '', data } = options;
  if (reveal) recordReveal(data, 'mapping audit', reason);
  const { beside, rows } = asData(audited, options);
  printRows(options.output, { kind: 'audit', key: 'bundles', rows, beside }, () =>
    printAsTables(audited, options),
  );
  return audited.some(({ gaps }) => gaps.length > 0) ? exits.findings : exits.ok;
}

function auditFile(file: string, compiled: CompiledMappings, datasets: Dataset[]): AuditedFile {
  const bundle = bundleIn(file);
  try {
    const options = { datasets, version: '2.4', now: new Date() } as const;
    const result = auditBundle(compiled, bundle, options);
    return { file, audit: result, gaps: gapsOf(result) };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { code, says } = faults[error.fault.name];
    return {
      file,
      gaps: [{ element: 'Bundle', why: `${code} ${says}`, times: 1, first: 'Bundle' }],
    };
  }
}

function gapsOf({ resources }: Audit): Gap[] {
  const gaps = new Map<string, Gap>();
  for (const { at, verdicts } of resources) {
    for (const { leaf, fate, by } of verdicts) {
      if (fate !== 'unaccounted') continue;
      const { element, place } = leaf;
      const gap = gaps.get(`${element} ${by}`);
      if (gap) gap.times++;
      else gaps.set(`${element} ${by}`, { element, why: by, times: 1, first: `${at}#${place}` });
    }
  }
  return [...gaps.values()];
}

/** The gaps of all bundles, each once. */
function together(audited: readonly AuditedFile[]): Gap[] {
  const all = new Map<string, Gap>();
  for (const { file, gaps } of audited) {
    for (const gap of gaps) {
      const key = `${gap.element} ${gap.why}`;
      const held = all.get(key) ?? { ...gap, times: 0, first: `${file} ${gap.first}` };
      all.set(key, { ...held, times: held.times + gap.times });
    }
  }
  return [...all.values()];
}

/** Counts of one or of several bundles. */
function countsOf(audits: readonly AuditedFile[]) {
  const counts = new Map<Fate, number>();
  for (const { audit: one } of audits) {
    for (const [fate, n] of one?.counts ?? []) counts.set(fate, (counts.get(fate) ?? 0) + n);
  }
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const lost = counts.get('unaccounted') ?? 0;
  const refused = audits.some(({ audit: one }) => one === undefined);
  // Rounded down: 100 is said of all and nothing less.
  const whole = total === 0 ? 1 : (total - lost) / total;
  const percent = refused ? 0 : Math.floor(whole * 10_000) / 100;
  return { counts, total, percent };
}

function printAsTables(audited: AuditedFile[], { elements, reveal }: AuditOptions): void {
  const all = countsOf(audited).counts;
  const columns = fates.filter((fate) => all.has(fate) || always.includes(fate));
  const row = (name: string, of: AuditedFile[]) => {
    const { counts, total, percent } = countsOf(of);
    return [name, total, ...columns.map((fate) => counts.get(fate) ?? 0), `${percent} %`];
  };
  const rows = audited.map((one) => row(one.file, [one]));
  if (audited.length > 1) rows.push(row('total', audited));
  const headings = columns.map((fate) => fate.toUpperCase());
  printTable(['BUNDLE', 'ELEMENTS', ...headings, 'ACCOUNTED FOR'], rows);
  const gaps = together(audited);
  for (const { element, why, times, first } of gaps) {
    const where = style('dim', `first at ${shown(first)}`);
    print(`${style('red', 'unaccounted')} ${shown(element)} ×${times}: ${why}; ${where}`);
  }
  for (const { file, audit: one } of elements ? audited : []) {
    if (!one) continue;
    for (const { at, resource, verdicts } of one.resources) {
      print(style('bold', `${file}  ${at} ${shown(resource.resourceType)}`));
      for (const { leaf, fate, by } of verdicts) {
        const value = reveal ? ` = ${JSON.stringify(leaf.value)}` : '';
        print(`    ${shown(leaf.place)}${value}  ${style(colourOf(fate), fate)}  ${shown(by)}`);
      }
    }
  }
  if (gaps.length === 0) return;
  say('next: map the element, or let a clinician agree to a row in tables/not-carried.csv');
}

const colourOf = (fate: Fate) =>
  fate === 'carried' ? 'green' : fate === 'unaccounted' ? 'red' : 'dim';

/** Names of elements come from the bundle: nothing in them may steer a terminal. */
const shown = (text: string) => text.replace(/\p{C}/gu, '\uFFFD');

function asData(audited: AuditedFile[], { elements, reveal }: AuditOptions) {
  const summary = (of: AuditedFile[]) => {
    const { counts, total, percent } = countsOf(of);
    return { elements: total, percent, counts: Object.fromEntries(counts) };
  };
  return {
    rows: audited.map((one) => ({
      file: one.file,
      ...summary([one]),
      unaccounted: one.gaps,
      resources:
        elements &&
        one.audit?.resources.map(({ at, resource, verdicts }) => ({
          at,
          type: resource.resourceType,
          elements: verdicts.map(({ leaf, fate, by }) => ({
            place: leaf.place,
            element: leaf.element,
            ...(reveal && { value: leaf.value }),
            fate,
            by,
          })),
        })),
    })),
    beside: { total: summary(audited), meanings },
  };
}
