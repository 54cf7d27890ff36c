/**
 * A case: one story in one readable file (`fixtures/** /*.case`): what comes in, what is asked, what
 * goes out, what is journalled. The test suite and the analysts play the same ones.
 *
 * A file starts with `# ` lines that tell the story and `key: value` settings; then come sections,
 * each opened by a line `== name`. HL7 stands one segment a line. `== in` opens an exchange, and
 * `== in CHANNEL` one on another channel; a section that is left out is not compared.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Channel, askSchema } from '../channel.ts';
import { type Push, push } from '../config/push.ts';
import { type Finding, ConfigError, nearest, shortPath } from '../config/yaml.ts';
import { duration } from '../config/values.ts';
import { type Dataset, datasets } from '../gp/port.ts';
import { queryKind, queryKinds } from '../query/kinds.ts';
import { type CaseReceiver, readReceiverLine } from './receiver.ts';
import { type CaseScenario, readScenarioLine } from './scenario.ts';

export interface Exchange {
  channel: string;
  /** Where the file names the channel. */
  line: number;
  /** Segments as they arrive, one a line. */
  in: string;
  /** The bytes that arrive, where they are not those of `in`. */
  bytes?: Buffer;
  /** Expected; undefined where the case does not say. */
  asked?: string;
  out?: string;
  /** What became of it at each destination of the channel, and what was sent. */
  delivered?: string;
  journal?: string;
}

/** What an exchange came to, in the form a case is written in. */
export type Result = Required<Pick<Exchange, 'asked' | 'out' | 'delivered' | 'journal'>>;

export interface Case {
  file: string;
  title: string;
  /** The time at which everything happens. */
  at: Date;
  /** What goes wrong in the simulated systems, and for whom. */
  scenarios: CaseScenario[];
  /** What the destinations of deliveries do. */
  receivers: CaseReceiver[];
  /** Overrides the channels' patience (milliseconds). */
  patience?: number;
  /** Messages the channels accept besides those their files name. */
  accepts: string[];
  /** What the channels ask in another way than their files say. */
  ask: Partial<Channel['ask']>;
  /** What the channels push in another way than their files say. */
  push: Partial<Push>;
  /** The mapping that is played alone, without a channel: `gp-record`, or `feeds/epr`. */
  mapping?: { name: string; line: number };
  /** Of a record, the datasets that are mapped; all of them unless told. */
  datasets?: Dataset[];
  exchanges: Exchange[];
}

/** The sections that state what is expected. */
export const expected = ['asked', 'out', 'delivered', 'journal'] as const;
const sections = ['in', ...expected] as const;
const settings = [
  'channel',
  'at',
  'scenario',
  'receiver',
  'patience',
  'accepts',
  'ask',
  'push',
  'mapping',
  'datasets',
] as const;

type Say = (line: number, says: string, next?: string) => void;

/**
 * Read a case.
 * @throws ConfigError with `file:line` where it is not one
 */
export function readCase(file: string, content = readFileSync(file, 'utf8')): Case {
  const findings: Finding[] = [];
  const error: Say = (line, says, next) =>
    findings.push({ severity: 'error', where: `${shortPath(file)}:${line}`, says, next });
  const story: Case = {
    file,
    title: '',
    at: new Date(Number.NaN),
    scenarios: [],
    receivers: [],
    accepts: [],
    ask: {},
    push: {},
    exchanges: [],
  };
  const usual = { channel: '', line: 1 };
  let section: (typeof sections)[number] | undefined;
  const lines = content.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    const [, opened, channel] = /^== *(\S+)(?: +(\S+))?\s*$/.exec(line) ?? [];
    const current = story.exchanges.at(-1);
    if (opened !== undefined) {
      section = sections.find((name) => name === opened);
      if (!section) error(number, `there is no section "${opened}"${meant(opened, sections)}`);
      else if (section === 'in') {
        const own = channel === undefined ? usual : { channel, line: number };
        story.exchanges.push({ ...own, in: '' });
      } else if (!current) error(number, `"== ${section}" stands before the first "== in"`);
      else current[section] = '';
    } else if (section && current) {
      if (line !== '') current[section] = `${current[section] ?? ''}${line}\n`;
    } else if (line.startsWith('#')) {
      story.title ||= line.replace(/^#+\s*/, '');
    } else if (line.trim() !== '') setting(story, usual, line, number, error);
  }
  if (!story.title) error(1, 'the case tells no story', 'start the file with a line "# …"');
  if (!story.mapping && story.exchanges.some(({ channel }) => !channel)) {
    error(1, 'the case names no channel', 'add a line "channel: NAME", or "mapping: NAME"');
  }
  if (Number.isNaN(story.at.getTime())) {
    error(1, 'the case has no time', 'add a line "at: 2026-06-04T10:15:00Z"');
  }
  if (story.exchanges.length === 0)
    error(lines.length, 'nothing comes in', 'add a section "== in"');
  if (findings.length > 0) throw new ConfigError(findings);
  return story;
}

function setting(
  story: Case,
  usual: { channel: string; line: number },
  line: string,
  number: number,
  error: Say,
): void {
  const [, key, value = ''] = /^(\w+): *(.*?)\s*$/.exec(line) ?? [];
  // The line is not shown: it may be the message of a file that is no case.
  if (key === undefined) error(number, 'this line is no setting', 'write it as "channel: NAME"');
  else if (key === 'channel') Object.assign(usual, { channel: value, line: number });
  else if (key === 'at') story.at = new Date(value);
  else if (key === 'mapping') story.mapping = { name: value, line: number };
  else if (key === 'datasets') {
    const codes = value.split(/[, ]+/);
    const wrong = codes.find((code) => !(datasets as readonly string[]).includes(code));
    if (wrong === undefined) story.datasets = codes as Dataset[];
    else error(number, `there is no dataset "${wrong}"`, datasets.join(', '));
  } else if (key === 'patience') {
    const read = duration.safeParse(value);
    if (read.success) story.patience = read.data;
    else error(number, `patience: ${read.error.issues[0]?.message ?? ''}`);
  } else if (key === 'accepts') {
    if (queryKind(value)) story.accepts.push(value);
    else
      error(number, `there is no query "${value}"`, queryKinds.map(({ type }) => type).join(', '));
  } else if (key === 'ask') {
    const [name = '', wanted] = value.split('=');
    const read = askSchema.safeParse({ [name]: wanted });
    if (read.success)
      Object.assign(story.ask, { [name]: read.data[name as keyof typeof read.data] });
    else
      error(
        number,
        `ask: ${read.error.issues[0]?.message ?? ''}`,
        'write it as "ask: documents=content"',
      );
  } else if (key === 'push') {
    const read = readPush(value);
    if (typeof read === 'string')
      error(number, `push: ${read}`, 'write it as "push: { as: MDM^T02 }"');
    else Object.assign(story.push, read);
  } else if (key === 'scenario') {
    const read = readScenarioLine(value);
    if ('says' in read) error(number, read.says, read.next);
    else story.scenarios.push(read);
  } else if (key === 'receiver') {
    const read = readReceiverLine(value);
    if ('says' in read) error(number, read.says, read.next);
    else story.receivers.push(read);
  } else error(number, `there is no setting "${key}"${meant(key, settings)}`);
}

/** Keys of `push` as a channel has them, on one line; what is wrong with them, where something is. */
function readPush(text: string): Partial<Push> | string {
  let given: unknown;
  try {
    given = parse(text);
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? '';
  }
  const read = push.partial().safeParse(given);
  if (!read.success) return read.error.issues[0]?.message ?? '';
  // Of the keys that are not given the channel's hold, not the defaults.
  const names = Object.keys(given as object);
  return Object.fromEntries(Object.entries(read.data).filter(([name]) => names.includes(name)));
}

function meant(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near ? `; did you mean "${near}"?` : '';
}

/**
 * The case's text with what came out this time, for `--update`. Its head stays as it is; of each
 * exchange the sections it states, or all where it states none.
 */
export function updatedCase(content: string, story: Case, results: Result[]): string {
  const lines = content.split(/\r?\n/);
  const first = lines.findIndex((line) => line.startsWith('== '));
  const head = lines.slice(0, first).join('\n').trimEnd();
  const parts = story.exchanges.map((exchange, index) => {
    const usual = exchange.line < first + 1;
    const stated = expected.filter((name) => exchange[name] !== undefined);
    // Few channels deliver; the others are spared the empty section.
    const all = expected.filter((name) =>
      story.mapping ? name === 'out' : name !== 'delivered' || results[index]?.delivered,
    );
    // A case that states everything goes on doing so when its channel begins to deliver.
    const isWhole = all.every((name) => stated.includes(name) || name === 'delivered');
    const shown =
      stated.length > 0 && !isWhole
        ? stated
        : expected.filter((name) => all.includes(name) || stated.includes(name));
    return [
      `== in${usual ? '' : ` ${exchange.channel}`}\n${exchange.in}`,
      ...shown.map((name) => `== ${name}\n${results[index]?.[name] ?? ''}`),
    ].join('\n');
  });
  return `${head}\n\n${parts.join('\n')}`;
}
