/** `gatehouse mapping try BUNDLE`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseFhir } from '../../engine/gp/json.ts';
import { type Dataset, datasets } from '../../engine/gp/port.ts';
import { standardDelimiters } from '../../engine/hl7/delimiters.ts';
import { encodeSegment } from '../../engine/hl7/encode.ts';
import { mapRecord } from '../../engine/mapping/apply.ts';
import { loadMappings } from '../../engine/mapping/load.ts';
import { type MappedSegment, profiles } from '../../engine/mapping/mapped.ts';
import type { Resource } from '../../engine/mapping/record.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { readInput } from './input.ts';
import { mappingNamed } from './mapping-names.ts';
import { CommandError, print, say, style } from './output.ts';
import { siteFolder } from './site-folder.ts';

interface TryOptions {
  site?: string;
  mapping: string;
  profile: string;
  datasets?: string;
  trace?: boolean;
  output: Form;
}

/** Map a bundle and print its segments, with `--trace` the rule and source of each field. */
export async function tryBundle(file: string, options: TryOptions): Promise<number> {
  const profile = profiles.find((one) => one === options.profile);
  if (!profile) {
    throw new CommandError(
      `there is no profile "${options.profile}"`,
      profiles.join(', '),
      'valueNotAllowed',
    );
  }
  const compiled = recordMapping(options);
  const record = mapRecord(compiled, bundleIn(file), {
    datasets: wanted(options.datasets),
    profile,
    version: '2.4',
    now: new Date(),
    trace: options.trace === true,
  });
  const segments = [...record.patient, ...record.datasets.flatMap((d) => d.segments)];
  const rows = segments.map((s) => ({ text: text(s), from: s.from, trace: s.trace }));
  const beside = {
    datasets: record.datasets.map(({ dataset, status, items }) => ({ dataset, status, items })),
    warnings: record.warnings,
  };
  printRows(options.output, { kind: 'mapped', key: 'segments', rows, beside }, () => {
    for (const segment of segments) {
      print(`${style('cyan', segment.name)}${text(segment).slice(3)}`);
      for (const { target, rule, source, of } of segment.trace ?? []) {
        const value = valueAt(text(segment), target);
        const whose = of === undefined ? rule : `${rule}, for ${of}`;
        print(style('dim', `    ${target}${value && ` ${value}`} \u2190 ${source}  (${whose})`));
      }
    }
  });
  for (const warning of record.warnings)
    say(`${style('yellow', 'warning', process.stderr)} ${warning}`);
  return exits.ok;
}

/** A mapping of records, compiled. @throws CommandError exit 3 where the site has none of that name */
export function recordMapping({ site, mapping }: { site?: string; mapping: string }) {
  const root = siteFolder(site);
  const folder = join(root, 'mappings', mapping);
  if (!existsSync(folder)) mappingNamed(root, mapping);
  return loadMappings(folder);
}

/** What stands at a place of a segment as it is written, in its first repetition. */
function valueAt(line: string, target: string): string {
  const [, field, component, sub] =
    /^[A-Z0-9]{3}-(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(target) ?? [];
  if (field === undefined) return '';
  const { repetition, component: between, subcomponent } = standardDelimiters;
  const [first = ''] = (line.split('|')[Number(field)] ?? '').split(repetition);
  if (component === undefined) return first;
  const part = first.split(between)[Number(component) - 1] ?? '';
  return sub === undefined ? part : (part.split(subcomponent)[Number(sub) - 1] ?? '');
}

const text = (segment: MappedSegment) => encodeSegment(segment, standardDelimiters);

/**
 * Read a bundle from a file; `-` is standard input.
 * @throws CommandError where it is no FHIR Bundle
 */
export function bundleIn(file: string): Resource {
  const content = readInput(file).toString();
  const next = 'give a FHIR Bundle as JSON';
  let read: unknown;
  try {
    read = parseFhir(content);
  } catch (error) {
    // The parser's own message quotes the content.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new CommandError(
      `${file} is no JSON${at ? ` (at byte ${at})` : ''}`,
      next,
      'inputUnreadable',
    );
  }
  const type = (read as { resourceType?: unknown } | null)?.resourceType;
  if (type !== 'Bundle')
    throw new CommandError(`${file} is no FHIR Bundle`, next, 'inputUnreadable');
  return read as Resource;
}

/** The datasets of `--datasets`; all where it is not given. */
export function wanted(codes: string | undefined): Dataset[] {
  if (codes === undefined) return [...datasets];
  return codes.split(',').map((code) => {
    const found = datasets.find((dataset) => dataset === code.trim().toUpperCase());
    if (!found)
      throw new CommandError(
        `there is no dataset "${code}"`,
        `one of ${datasets.join(', ')}`,
        'valueNotAllowed',
      );
    return found;
  });
}
