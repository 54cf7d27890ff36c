/**
 * A case: one story in one readable file (`fixtures/** /*.case`): what comes in, what is asked, what
 * goes out, what is journalled. The test suite and the analysts play the same ones.
 *
 * A file starts with `# ` lines that tell the story and `key: value` settings; then come sections,
 * each opened by a line `== name`. HL7 stands one segment a line.
 */
import { readFileSync } from 'node:fs';
import { type Finding, ConfigError, nearest, shortPath } from '../config/yaml.ts';
import { duration } from '../config/values.ts';

export interface Exchange {
  /** Segments as they arrive, one a line. */
  in: string;
  /** Expected; undefined where the case does not say. */
  asked?: string;
  out?: string;
  journal?: string;
}

export interface Case {
  file: string;
  title: string;
  channel: string;
  /** The time at which everything happens. */
  at: Date;
  /** Scenarios of the simulator, by NHS number. */
  scenarios: { nhsNumber: string; scenario: string }[];
  /** Overrides the channel's patience (milliseconds). */
  patience?: number;
  exchanges: Exchange[];
}

const sections = ['in', 'asked', 'out', 'journal'] as const;
const settings = ['channel', 'at', 'scenario', 'patience'];

/**
 * Read a case.
 * @throws ConfigError with `file:line` where it is not one
 */
export function readCase(file: string, content = readFileSync(file, 'utf8')): Case {
  const findings: Finding[] = [];
  const error = (line: number, says: string, next?: string) =>
    findings.push({ severity: 'error', where: `${shortPath(file)}:${line}`, says, next });
  const story: Case = {
    file,
    title: '',
    channel: '',
    at: new Date(Number.NaN),
    scenarios: [],
    exchanges: [],
  };
  let section: (typeof sections)[number] | undefined;
  const lines = content.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    const opened = /^== *(\S+)\s*$/.exec(line)?.[1];
    if (opened !== undefined) {
      section = sections.find((name) => name === opened);
      if (section === 'in') story.exchanges.push({ in: '' });
      const current = story.exchanges.at(-1);
      if (!section) {
        const near = nearest(opened, sections);
        error(number, `there is no section "${opened}"${near ? `; did you mean "${near}"?` : ''}`);
      } else if (!current) error(number, `"== ${section}" stands before the first "== in"`);
      else current[section] = '';
      continue;
    }
    const current = story.exchanges.at(-1);
    if (section && current) {
      if (line !== '') current[section] = `${current[section] ?? ''}${line}\n`;
    } else if (line.startsWith('#')) {
      story.title ||= line.replace(/^#+\s*/, '');
    } else if (line.trim() !== '') setting(story, line, number, error);
  }
  if (!story.channel) error(1, 'the case names no channel', 'add a line "channel: NAME"');
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
  line: string,
  number: number,
  error: (line: number, says: string, next?: string) => void,
): void {
  const [, key = '', value = ''] = /^(\w+): *(.*?)\s*$/.exec(line) ?? [];
  if (key === 'channel') story.channel = value;
  else if (key === 'at') story.at = new Date(value);
  else if (key === 'patience') {
    const read = duration.safeParse(value);
    if (read.success) story.patience = read.data;
    else error(number, `patience: ${read.error.issues[0]?.message ?? ''}`);
  } else if (key === 'scenario') {
    const [, nhsNumber, scenario] = /^(\d{10}) +(.+)$/.exec(value) ?? [];
    if (nhsNumber && scenario) story.scenarios.push({ nhsNumber, scenario });
    else error(number, 'a scenario is an NHS number and a name, for example 9990000018 slow');
  } else {
    const near = nearest(key, settings);
    error(number, `there is no setting "${key}"${near ? `; did you mean "${near}"?` : ''}`);
  }
}

/** The case's text with what came out this time, for `--update`. */
export function updatedCase(content: string, results: Required<Exchange>[]): string {
  const header = content.split(/\r?\n/).slice(
    0,
    content.split(/\r?\n/).findIndex((l) => l.startsWith('== ')),
  );
  const parts = results.map((result) =>
    sections.map((name) => `== ${name}\n${result[name]}`).join('\n'),
  );
  return `${header.join('\n').trimEnd()}\n\n${parts.join('\n')}`;
}
