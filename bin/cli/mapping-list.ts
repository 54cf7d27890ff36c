/** `gatehouse mapping list` and `show`. */
import { exits } from './exits.ts';
import { type Form, printListing } from './form.ts';
import { casesUsing, mappingNamed, mappingNames, rulesOf, usersOf } from './mapping-names.ts';
import { CommandError } from './output.ts';
import { wanted } from './mapping.ts';
import { siteFolder } from './site-folder.ts';
import { soundSite } from './sites.ts';

interface Options {
  site?: string;
  datasets?: string;
  output: Form;
}

/** List the mappings of a site. */
export async function list(options: Options): Promise<number> {
  const root = siteFolder(options.site);
  const { channels } = soundSite(options.site);
  const rows = mappingNames(root).map((mapping) => {
    const rules = rulesOf(root, mapping);
    return {
      mapping: mapping.shown,
      kind: mapping.kind,
      rules: rules.length,
      datasets: [...new Set(rules.flatMap(({ dataset }) => dataset ?? []))],
      channels: usersOf(mapping, channels),
      cases: casesUsing(root, mapping, channels).length,
    };
  });
  printListing(options.output, {
    kind: 'mappings',
    key: 'mappings',
    rows,
    columns: [
      { title: 'MAPPING', cell: ({ mapping }) => mapping },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'RULES', cell: ({ rules }) => rules },
      { title: 'CASES', cell: ({ cases }) => cases },
      { title: 'CHANNELS', cell: ({ channels: names }) => names.join(' ') },
      { title: 'DATASETS', cell: ({ datasets }) => datasets.join(' '), wide: true },
    ],
  });
  return exits.ok;
}

/** List the rules of a mapping, in the order of its files. @param field `PID-8`, or `PID` */
export async function show(
  name: string,
  field: string | undefined,
  options: Options,
): Promise<number> {
  const root = siteFolder(options.site);
  const mapping = mappingNamed(root, name);
  const datasets = options.datasets === undefined ? undefined : wanted(options.datasets);
  const rows = rulesOf(root, mapping).filter(
    ({ target, dataset }) =>
      (field === undefined || isAt(target, field)) &&
      (datasets === undefined || datasets.some((one) => one === dataset)),
  );
  if (rows.length === 0) {
    throw new CommandError(
      `no rule of ${mapping.shown} writes ${field ?? 'these datasets'}`,
      `gatehouse mapping show ${mapping.shown} lists every rule`,
      exits.notFound,
    );
  }
  printListing(options.output, {
    kind: 'rules',
    key: 'rules',
    rows,
    columns: [
      { title: 'FIELD', cell: ({ target }) => target },
      { title: 'FROM', cell: ({ source }) => source },
      { title: 'TABLE', cell: ({ table }) => table },
      { title: 'WHEN', cell: ({ when }) => when },
      { title: 'RULE', cell: ({ rule }) => rule },
      { title: 'UNDER', cell: ({ under }) => under, wide: true },
    ],
  });
  return exits.ok;
}

/** `AL1`, `AL1-3` and `AL1-3.1` each mean the rules for what stands there, and below. */
function isAt(target: string, field: string): boolean {
  return target
    .split(', ')
    .some(
      (one) => one === field || (/^[-. [(]/.test(one.slice(field.length)) && one.startsWith(field)),
    );
}
