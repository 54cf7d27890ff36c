/**
 * The channels `gatehouse channel add` can make. A template is one of the channels that come with
 * Gatehouse, with a message for it: what is checked and played there is what a new site begins with.
 */
import { cpSync, existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scalar, type YAMLMap, type YAMLSeq, parseDocument } from 'yaml';
import { ownFolder } from './own-folder.ts';

interface Template {
  says: string;
  /** A channel of Gatehouse's own, and a message that it takes. */
  channel: string;
  message: string;
  /** Name of the fixture and the case. */
  name: string;
  /** First line of the case. */
  story: string;
  /** Folders and files of a site that the channel needs. */
  needs: readonly string[];
}

const record = ['mappings/gp-record', 'mappings/tables', 'channels/practices.csv'];

export const templates: Readonly<Record<string, Template>> = {
  'gp-record': {
    says: 'a hospital asks for a patient\u2019s GP record, and is answered',
    channel: 'gp-record',
    message: 'gp-record/qbp-q11.hl7',
    name: 'allergies',
    story: 'The allergies of a patient are asked for, and answered from the GP record',
    needs: ['channels/routes/gp-record.yaml', ...record],
  },
  'adt-feed': {
    says: 'ADT is stored and acknowledged, keeps each patient\u2019s practice, and goes on with --to',
    channel: 'adt-feed',
    message: 'adt/a01.hl7',
    name: 'admission',
    story: 'An admission is stored and acknowledged; PD1 names the practice',
    needs: ['channels/routes/adt.yaml'],
  },
  push: {
    says: 'an admission fetches the GP record and pushes it to the hospital',
    channel: 'record-push',
    message: 'adt/a01.hl7',
    name: 'admission',
    story: 'An admission fetches the GP record and pushes it to the hospital',
    needs: ['channels/routes/adt.yaml', 'channels/routes/push.yaml', ...record],
  },
};

/** Who sends or is sent to: MSH-3 and MSH-4. */
export interface Party {
  application: string;
  facility: string;
}

/** What a new channel is to be. */
export interface Wanted {
  name: string;
  template: string;
  port: number;
  senders: readonly Party[];
  us?: Party;
  /** Who asks, with its ASID. */
  organisation?: { ods: string; asid: string };
  /** Where messages go on to, or the record is pushed to. */
  to?: { host: string; port: number };
  description?: string;
}

/** The two lines by which editors find the schema: VS Code and others, then JetBrains. */
export const schemaLines = (schema: string): string =>
  `# yaml-language-server: $schema=${schema}\n# $schema: ${schema}\n`;

/** The text of a new channel file; comments of the template stay. */
export function channelText(wanted: Wanted): string {
  const template = templateOf(wanted.template);
  const document = documentOf(template);
  const put = (path: string[], value: unknown) => {
    const flow = typeof value === 'object';
    document.setIn(path, flow ? document.createNode(value, { flow: true }) : value);
  };
  put(['channel'], wanted.name);
  if (wanted.description !== undefined) put(['description'], wanted.description);
  put(['listen', 'port'], String(wanted.port));
  if (wanted.us) put(['us'], wanted.us);
  if (wanted.senders.length > 0) put(['senders'], wanted.senders);
  if (wanted.organisation && document.has('organisations')) {
    const { ods, asid } = wanted.organisation;
    document.setIn(['organisations'], document.createNode([{ ods, asid: quoted(asid) }]));
    const [first] = (document.get('organisations') as YAMLSeq<YAMLMap>).items;
    if (first) first.flow = true;
  }
  if (wanted.to) {
    const { host, port } = wanted.to;
    put(['destinations', 'epr', 'kind'], 'feed');
    put(['destinations', 'epr', 'host'], host);
    put(['destinations', 'epr', 'port'], String(port));
    if (!document.has('deliver')) put(['deliver'], [{ to: 'epr' }]);
  }
  const text = document
    .toString({ lineWidth: 0 })
    // As the channels that come with Gatehouse are written: lists without blanks inside.
    .replace(/\[ ([^\]\n]*?) \]/g, '[$1]');
  return `${schemaLines('../schemas/channel.schema.json')}${text.trimEnd()}\n`;
}

/** The message of a template, from this sender to us, one segment a line. */
export function messageText(wanted: Wanted): string {
  const template = templateOf(wanted.template);
  const { message } = template;
  const own = readFileSync(join(ownFolder(), 'fixtures', message), 'latin1');
  const [from] = wanted.senders;
  const us = wanted.us ?? (documentOf(template).toJS() as { us: Party }).us;
  return own
    .split(/\r\n?|\n/)
    .filter(Boolean)
    .map((line) => {
      const fields = line.split('|');
      if (fields[0] === 'MSH') {
        if (from && from.application !== '*') fields[2] = from.application;
        if (from && from.facility !== '*') fields[3] = from.facility;
        [fields[4], fields[5]] = [us.application, us.facility];
      }
      // One dataset is enough to see, and to compare.
      if (fields[0] === 'QPD') fields[4] = 'ALL';
      return `${fields.join('|')}\n`;
    })
    .join('')
    .concat(wanted.template === 'push' ? `${asker}\n` : '')
    .replace(/(\|HOSPITAL\^\^)R0A\|/, `$1${wanted.organisation?.ods ?? 'R0A'}|`);
}

/** An ASID looks like a number and is none. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}

/** Who asks, where ADT has no field for it: as the channels that come with Gatehouse have it. */
const asker = 'ZAU|10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|G||ED';

/** The text of a case that says nothing yet of what comes out. */
export function caseText(wanted: Wanted): string {
  const { story } = templateOf(wanted.template);
  const at = '2026-06-04T10:15:00Z';
  return `# ${story}\nchannel: ${wanted.name}\nat: ${at}\n\n== in\n${messageText(wanted)}`;
}

/** Copy what a template needs to a site that has not got it. @returns what was copied */
export function bring(root: string, needs: readonly string[]): string[] {
  return needs.flatMap((need) => {
    const from = join(ownFolder(), need);
    const isFolder = !/\.[a-z]+$/.test(need);
    const names = isFolder
      ? globSync('**/*.{yaml,csv,ts,js}', { cwd: from }).map((name) => join(need, name))
      : [need];
    if (existsSync(join(root, need))) return [];
    for (const name of names) cpSync(join(ownFolder(), name), join(root, name));
    return [need];
  });
}

/** The channel of Gatehouse's own that a template is. */
function documentOf({ channel }: Template) {
  const text = readFileSync(join(ownFolder(), 'channels', `${channel}.yaml`), 'utf8');
  return parseDocument(text, { schema: 'failsafe' });
}

export function templateOf(name: string): Template {
  const found = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (!found) throw new RangeError(`no template ${name}`);
  return found;
}
