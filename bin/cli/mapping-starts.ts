/** What a new mapping begins with: as little as loads, each line of it explained. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml } from '../../engine/config/yaml.ts';
import type { Dataset } from '../../engine/gp/port.ts';
import { engineTables } from '../../engine/mapping/load.ts';
import { CommandError } from './output.ts';
import { ownFolder } from './own-folder.ts';

/** The files of a new mapping. */
export interface Start {
  /** As cases name it. */
  mapping: string;
  /** By path in the site. */
  files: ReadonlyMap<string, string>;
  /** Files that several mappings share: written where they are not there, copied where no text is given. */
  shared: readonly { path: string; text?: string }[];
  caseFile: string;
  /** The command that shows it live. */
  watch: string;
}

const folder = join('fixtures', 'mappings');

/** A feed mapping. */
export function feedStart(name: string): Start {
  const sample = join(folder, `${name}.hl7`);
  const caseFile = join(folder, `${name}.case`);
  const system = name.toUpperCase();
  const message = [
    'MSH|^~\\&|SENDER|R0A|RECEIVER|R0A|20260604101500||ADT^A01^ADT_A01|M1|P|2.4',
    'EVN||20260604101500',
    'PID|1||9990000018^^^NHS^NH||Wierzba^Tomasz||19850704|M',
    'PV1|1|I|WARD1^^^R0A',
  ];
  const rules = `# What is received as HL7 v2, as ${system} wants it. What no rule touches keeps its bytes.
# Every key is explained in docs/reference/feed-mappings.md; this shows what comes out as you save:
#   gatehouse mapping watch ${sample} --feed ${name}
feed: ${name}
description: ADT as ${system} wants it

rules:
  # A constant.
  - set: MSH-5
    value: ${system}

  # Only where there is a PV1; a copy keeps what it copies as it was written.
  - when: { PV1: present }
    copy: PV1-3
    to: PV1-6

  # A code by its table, mappings/tables/${name}-class.csv. "unknown" says what becomes of a code that is
  # not in it: error (the message is parked), pass, omit, or default VALUE.
  - when: { PV1: present }
    set: PV1-2
    from: PV1-2
    table: ${name}-class
    unknown: pass
`;
  const story = `# An inpatient, as ${system} wants it
mapping: feeds/${name}
at: 2026-06-04T10:15:00Z

== in
${message.join('\n')}
`;
  const table =
    '# The sender\u2019s patient class, and the receiver\u2019s.\ncode,value\nI,I\nO,O\nE,E\nDC,O\n';
  return {
    mapping: `feeds/${name}`,
    files: new Map([
      [join('mappings', 'feeds', `${name}.yaml`), rules],
      [join('mappings', 'tables', `${name}-class.csv`), table],
      [sample, `${message.join('\r')}\r`],
      [caseFile, story],
    ]),
    shared: [],
    caseFile,
    watch: `gatehouse mapping watch ${sample} --feed ${name}`,
  };
}

/** The element that says what an item is. */
const codeOf: Readonly<Record<string, string>> = {
  MedicationStatement: 'medicationCodeableConcept',
  Encounter: 'type',
  Immunization: 'vaccineCode',
  ReferralRequest: 'type',
  DocumentReference: 'type',
};

/** A record mapping with one dataset. @throws CommandError where the dataset has no lists of its own */
export function recordStart(name: string, dataset: Dataset): Start {
  const { title, list, resource } = ownDataset(dataset);
  const file = dataset.toLowerCase();
  const stem = `${name}-${file}`;
  const caseFile = join(folder, `${stem}.case`);
  const sample = join(folder, `${stem}.json`);
  const code = codeOf[resource] ?? 'code';
  const rules = `# ${title}: FHIR ${resource} to HL7 v2. Every key is explained in docs/reference/mapping-fields.md; this
# shows what comes out as you save:
#   gatehouse mapping watch ${sample} --mapping ${name} --datasets ${dataset}
dataset: ${dataset}
title: ${title}

# The GP's answer is what stands in these lists; nothing else is taken for an answer.
lists:
  - list: items
    code: '${list.code}'
    parameter: ${list.parameter}
    status: ${dataset}

items:
  - item: An entry of the list
    resource: ${resource}
    lists: items
    segments:
      # One OBX an item, with the code and what it says in words; OBX-1, 2 and 11 are filled by themselves.
      # Fields of other segments: - segment: AL1, fields: { AL1-3: { coded: ${code} } }
      - obx: GPREC.ITEM^Item of the record
        value: { coded: ${code} }
      # The GP system's own terms, where they differ from what the OBX shows.
      - terms: ${code}
      # Notes of the item, an NTE each.
      - note: note.text
`;
  const coded = {
    coding: [{ system: 'http://snomed.info/sct', code: '12345678', display: 'An example' }],
    text: 'An example',
  };
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      {
        resource: {
          ...{ resourceType: 'Patient', id: 'p1', gender: 'male', birthDate: '1985-07-04' },
          identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }],
          name: [{ use: 'official', family: 'Wierzba', given: ['Tomasz'] }],
        },
      },
      {
        resource: {
          ...{ resourceType: 'List', id: 'l1', status: 'current', mode: 'snapshot' },
          code: { coding: [{ system: 'http://snomed.info/sct', code: list.code }] },
          subject: { reference: 'Patient/p1' },
          entry: [{ item: { reference: `${resource}/i1` } }],
        },
      },
      {
        resource: {
          ...{ resourceType: resource, id: 'i1', [code]: code === 'type' ? [coded] : coded },
          note: [{ text: 'A note on the example' }],
        },
      },
    ],
  };
  const types = `# HL7 data types built from FHIR elements, and how codes are named: docs/reference/mapping-fields.md.
coded:
  systems: coding-systems   # mappings/tables/coding-systems.csv: the name of a coding system in CE-3
  unknown: pass             # one that is not in it is named by its URI
  degraded: degraded-codes  # codes that say that the real one was lost

# Types that several rules share: XPN: { 1: family, 2: { from: 'given.first()' } }, and a rule says "as: XPN".
types: {}
`;
  const tables = [...Object.values(engineTables), 'coding-systems', 'degraded-codes'];
  return {
    mapping: name,
    files: new Map([
      [join('mappings', name, `${file}.yaml`), rules],
      [sample, `${JSON.stringify(bundle, null, 2)}\n`],
      [
        caseFile,
        `# ${title}: one entry of the list\nmapping: ${name}\ndatasets: ${dataset}\nat: 2026-06-04T10:15:00Z\n\n== in\n${stem}.json\n`,
      ],
    ]),
    shared: [
      { path: join('mappings', name, 'datatypes.yaml'), text: types },
      ...tables.map((one) => ({ path: join('mappings', 'tables', `${one}.csv`) })),
    ],
    caseFile,
    watch: `gatehouse mapping watch ${sample} --mapping ${name} --datasets ${dataset}`,
  };
}

interface OwnFile {
  dataset?: string;
  title: string;
  lists?: { code: string; parameter: string }[];
  items: { resource: string }[];
}

/** What Gatehouse's own mapping says of a dataset. */
function ownDataset(dataset: Dataset): {
  title: string;
  list: { code: string; parameter: string };
  resource: string;
} {
  const own = join(ownFolder(), 'mappings', 'gp-record');
  const files = readdirSync(own)
    .filter((one) => one.endsWith('.yaml'))
    .map((one) => readYaml(join(own, one)).value as OwnFile);
  const found = files.find((one) => one.dataset === dataset);
  const [list] = found?.lists ?? [];
  const [item] = found?.items ?? [];
  if (found && list && item) return { title: found.title, list, resource: item.resource };
  const listed = files.filter(({ lists = [] }) => lists.length > 0).map((one) => one.dataset);
  throw new CommandError(
    `${dataset} has no list of its own in a GP record, so there is nothing to begin with`,
    `one of ${listed.join(', ')}; or copy mappings/gp-record and change it`,
  );
}
