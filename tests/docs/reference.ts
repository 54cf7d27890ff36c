/** The pages of docs/reference and the generated parts of docs/profile.md. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { readYaml } from '../../engine/config/yaml.ts';
import { allErrors } from '../../bin/cli/errors.ts';
import { effects, ends } from '../../engine/effects.ts';
import { type FaultDefinition, faults } from '../../engine/faults.ts';
import { type Structure, formatStructure } from '../../engine/hl7/definitions/notation.ts';
import { profileStructures, pushStructures } from '../../engine/hl7/definitions/profile.ts';
import { datasets } from '../../engine/gp/port.ts';
import { contentVersions } from '../../engine/hl7/version.ts';
import type { Profile } from '../../engine/mapping/mapped.ts';
import { shapes } from '../../engine/mapping/rows.ts';
import type { SegmentRule } from '../../engine/mapping/rules.ts';
import type { ItemRule } from '../../engine/mapping/schema.ts';
import { messageTypeOf, pushForms } from '../../engine/push/forms.ts';
import { queryKinds } from '../../engine/query/kinds.ts';
import { scenarios } from '../../engine/simulator/scenarios.ts';
import type { GeneratedFile } from '../generate.ts';
import { channelPage, channelSchemaFile } from './channel-page.ts';
import { conformancePage } from './conformance-page.ts';
import { feedPage } from './feed-page.ts';
import { helpOfAll } from './help.ts';
import { allParts, datasetFiles, mappingPage } from './mapping-page.ts';
import { code, filled, table, written } from './markdown.ts';
import { segmentsPage } from './segments-page.ts';

const profile = new URL('../../docs/profile.md', import.meta.url);

export const referenceFiles: GeneratedFile[] = [
  { path: 'docs/reference/faults.md', generate: faultsPage },
  { path: 'docs/reference/channel.md', generate: channelPage },
  {
    path: 'docs/reference/channel.schema.json',
    generate: () => format(channelSchemaFile(), { parser: 'json', printWidth: 100 }),
  },
  { path: 'docs/reference/route-effects.md', generate: effectsPage },
  { path: 'docs/reference/mapping-fields.md', generate: mappingPage },
  { path: 'docs/reference/feed-mappings.md', generate: feedPage },
  { path: 'docs/reference/segments.md', generate: segmentsPage },
  { path: 'docs/reference/cli.md', generate: cliPage },
  { path: 'docs/reference/scenarios.md', generate: scenariosPage },
  { path: 'docs/reference/simulator-conformance.md', generate: conformancePage },
  {
    path: 'docs/profile.md',
    generate: async () =>
      filled(await readFile(profile, 'utf8'), {
        kinds: kindTable(),
        structures: notations(profileStructures),
        datasets: datasetTable(),
        answers: answerTable(),
        pushes: pushTable(),
        pushStructures: notations(pushStructures),
      }),
  },
];

const groups: Readonly<Record<string, string>> = {
  '1': 'Bytes and connections',
  '2': 'The message as HL7',
  '3': 'May this sender and this user ask',
  '4': 'Patient and practice',
  '5': 'The GP side',
  '6': 'The journal',
  '7': 'Delivery to a destination',
  '8': 'Mapping',
  '9': 'The engine itself',
};

function inGroups(): [string, [string, FaultDefinition][]][] {
  const all = Object.entries(faults).sort(([, a], [, b]) => (a.code < b.code ? -1 : 1));
  return Object.entries(groups).map(([digit, title]) => [
    title,
    all.filter(([, row]) => row.code.startsWith(`GH-${digit}`)),
  ]);
}

function faultsPage(): string {
  const parts = inGroups().map(([title, rows]) => {
    const lines = rows.map(([name, row]) => [
      row.code,
      code(name),
      row.class,
      row.msa,
      row.qak ?? '',
      row.err ?? '',
      row.says,
      row.next,
    ]);
    const columns = ['code', 'name', 'class', 'MSA-1', 'QAK-2', 'ERR', 'what it says', 'next step'];
    return `## ${title}\n\n${table(columns, lines)}`;
  });
  const errors = allErrors().map((one) => [
    ...[one.code, code(one.name), String(one.exit), one.says, one.next],
  ]);
  return `${written('engine/faults.ts, engine/config/findings.ts and bin/cli/errors.ts')}
# Faults

Every failure Gatehouse can have. \`gatehouse explain CODE\` prints one row. The class decides what
happens next: *transient* may work when asked again, *ambiguous* may have happened already (only a
read is repeated), *permanent* gives the same answer again. MSA-1 is that of original mode; QAK-2 is
sent where the answer is a query response; ERR is a code of table 0357.

${parts.join('\n')}
## Commands and the configuration

What a command says on standard error, and what \`gatehouse config check\` finds. The two digits after
\`GH-0\` are the exit code.

${table(['code', 'name', 'exit', 'what it says', 'next step'], errors)}`;
}

function effectsPage(): string {
  const rows = Object.entries(effects).map(([name, { says, outcomes }]) => [
    code(name),
    says,
    outcomes.map(code).join(', '),
  ]);
  const endings = Object.entries(ends).map(([name, says]) => [code(name), says]);
  return `${written('engine/effects.ts')}
# What a route can do

A route (\`channels/routes/NAME.yaml\`) is a table of states. A state performs one effect (\`do\`) and
says which state follows each outcome (\`on\`), or it ends the route (\`end\`). \`gatehouse check\`
refuses a route in which an outcome has no way on, a state is never reached, or states can follow
each other for ever. \`gatehouse route graph NAME\` draws it.

In place of a state may stand a list: \`{ retry: 2, after: 250ms }\` tries the effect again, at most so
often, and the last entry is the state that follows then.

## Effects

${table(['effect', 'what it does', 'outcomes'], rows)}
## Ends

${table(['end', 'the answer given'], endings)}`;
}

async function cliPage(): Promise<string> {
  const parts = [...(await helpOfAll())].map(
    ([name, text]) => `## ${name}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`,
  );
  return `${written('bin/cli/main.ts')}
# Commands

What \`--help\` prints, for every command. Exit codes are in the [README](../../README.md#exit-codes).

${parts.join('\n')}`;
}

function scenariosPage(): string {
  const places: Readonly<Record<string, string>> = {
    any: 'any; the practice’s system unless told',
    pds: 'PDS',
    sds: 'SDS',
    proxy: 'Spine proxy',
    provider: 'the practice’s system',
  };
  const rows = [...scenarios].map(([name, { at, says }]) => [code(name), places[at] ?? at, says]);
  return `${written('engine/simulator/')}
# Scenarios of the simulator

What the simulated GP side can be made to do wrong, for one patient at a time:

- from its start: \`gatehouse sim gp --scenario 9465701459=slow:3000\`;
- while it runs, from the same machine: \`PUT /_sim/patients/9465701459/scenario\` with the body
  \`"hang"\` or \`{"name":"slow","at":"pds","ms":5000,"first":2}\`; \`DELETE\` switches it off;
- in a case: \`scenario: 9465701459 hang\`.

${table(['scenario', 'where', 'what happens'], rows)}`;
}

/** The kinds of query: what is asked, what answers, from which version, and whether it is on. */
function kindTable(): string {
  const { accepts = [] } = readYaml(
    fileURLToPath(new URL('../../channels/gp-record.yaml', import.meta.url)),
  ).value as { accepts?: string[] };
  const rows = queryKinds.map(({ type, structure, says, since, answer, quantity }) => [
    code(`${type}^${structure}`),
    code(`${answer.code}^${answer.event}^${answer.structure}`),
    says,
    since,
    quantity ? 'yes' : '',
    accepts.includes(type) ? '' : 'off',
  ]);
  return table(['query', 'answer', 'for', 'from version', 'in parts', 'as shipped'], rows);
}

/** What is pushed: the message in each version, and what it has a place for. */
function pushTable(): string {
  const rows = pushForms.map((form) => {
    const types = contentVersions.map((version) => {
      const { code: type, event, structure } = messageTypeOf(form, version);
      return `${code(`${type}^${event}`)} ${structure}`;
    });
    const offers = form.offers.length === datasets.length ? 'all' : form.offers.join(', ');
    const [old = '', ...later] = types;
    const same = later.every((one) => one === old);
    return [code(form.type), form.says, offers, same ? old : `${later[0]}; in 2.3 ${old}`];
  });
  return table(['`push.as`', 'what it is for', 'datasets', 'MSH-9'], rows);
}

/** Structures, one line of the notation each. */
function notations(structures: Readonly<Record<string, Structure>>): string {
  const shown = Object.entries(structures).map(
    ([id, structure]) => `${id}  ${formatStructure(structure)}`,
  );
  return `\`\`\`text\n${shown.join('\n\n')}\n\`\`\`\n`;
}

/** What each dataset is, and the segments of its items in each answer that carries it. */
function datasetTable(): string {
  const answers = queryKinds.filter(({ answer }) => !/ZGS|K21/.test(answer.event));
  const rows = datasetFiles().flatMap(({ file: { dataset, title, lists, items } }) => {
    const own =
      lists.length > 0 ? lists : [{ list: '', status: dataset, heading: undefined, code: '' }];
    return own.map(({ list, status, heading, code: listCode }) => {
      // Documents come from a service that has no lists; theirs is ours.
      const known = /^\d+$/.test(listCode) ? code(listCode) : '';
      const told = [code(status), heading ?? title, known];
      const cells = answers.map(({ offers, answer: { profile } }) => {
        if (!offers.includes(dataset)) return '';
        const names = items.flatMap((item) => segmentNames(item, list, profile));
        return [...new Set(names)].join(', ');
      });
      return [dataset, ...told, ...cells];
    });
  });
  const columns = answers.map(({ answer }) => `${answer.code}^${answer.event}`);
  return table(['dataset', 'OBX-4', 'what it holds', 'GP Connect list', ...columns], rows);
}

/**
 * The segments that an item of a dataset is made of in an answer, where it is shown under this list;
 * what stands before the datasets (PID and its like) has none here.
 */
function segmentNames(item: ItemRule, list: string, profile: Profile): string[] {
  if (item.place === 'patient') return [];
  const kept = shapes[profile]?.item;
  const shown = segmentsBelow(item).filter(({ when = '' }) => {
    const [, onlyList] = /^%list = '(\w+)' and /.exec(when) ?? [];
    const [, onlyProfiles] = /^%profile (?:=|in) (\([^)]*\)|'\w+')/.exec(when) ?? [];
    if (onlyProfiles !== undefined && !onlyProfiles.includes(`'${profile}'`)) return false;
    return onlyList === undefined || onlyList === list;
  });
  const names = shown.flatMap(({ segment, obx }) => segment ?? (obx ? 'OBX' : []));
  // What a structure has no place for is OBX there.
  return names.map((name) => (!kept || kept.has(name) ? name : 'OBX'));
}

/** The segment rules of an item and of all the parts that may hang on it. */
function segmentsBelow(item: ItemRule): SegmentRule[] {
  const parts = allParts();
  const seen = new Set<string>(item.part === undefined ? [] : [item.part]);
  const rules = [...item.segments];
  const waiting = [...seen, ...item.children.flatMap((child) => child.parts)];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const part = parts[name];
    rules.push(...(part?.segments ?? []));
    const further = (part?.children ?? []).flatMap((child) => child.parts);
    waiting.push(...further.filter((one) => !seen.has(one)));
    for (const one of further) seen.add(one);
  }
  const opened = (rule: SegmentRule): SegmentRule[] => rule.segments?.flatMap(opened) ?? [rule];
  return rules.flatMap(opened);
}

/** Faults met before a query is read: they are answered with a general acknowledgement. */
const atTheDoor = new Set<string>(['GH-3001']);
/** Faults a peer is never answered with: the sender is gone, or the engine does not start. */
const neverSent = /^GH-(9003|600[4-9])$/;

/** What a sender can be answered, in the order of the codes. */
function answerTable(): string {
  const shown = Object.values(faults)
    .filter(({ code: id }) => /^GH-([2-689]|1001|1003)/.test(id) && !neverSent.test(id))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
  const rows = shown.map((row: FaultDefinition) => [
    row.code,
    row.msa,
    atTheDoor.has(row.code) ? '' : (row.qak ?? ''),
    row.err ?? '',
    row.class === 'permanent' ? 'no' : 'yes',
    row.says,
  ]);
  return table(['fault', 'MSA-1', 'QAK-2', 'ERR', 'a repeat may help', 'text'], rows);
}
