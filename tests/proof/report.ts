/** What was tried and found, for people: a table on the screen, and in docs/proof.md between marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from '../../bench/machine.ts';
import type { Figures } from './part.ts';
import type { Result } from './trial.ts';

export interface Report {
  kind: 'proof';
  version: 1;
  suite: 'proof' | 'soak' | 'planted';
  /** ISO 8601. */
  date: string;
  command: string;
  seed: number;
  machine: Machine;
  /** What the whole run took. */
  minutes: number;
  results: Result[];
}

const page = new URL('../../docs/proof.md', import.meta.url);

/** The report as text. */
export function written(report: Report): string {
  const rows = report.results.map((result) => {
    const { part, law, tried, found } = result;
    const lines = [
      `${part}: ${verdict(result)} (${result.seconds.toFixed(0)} s)`,
      `  law    ${law}`,
      `  tried  ${figures(tried)}`,
      `  found  ${figures(found)}`,
    ];
    return [...lines, ...result.broken.map((sentence) => `  BROKEN ${sentence}`)].join('\n');
  });
  return `${heading(report)}\n\n${rows.join('\n\n')}\n`;
}

/** Write the report into docs/proof.md, in the place of the one before. */
export function recorded(report: Report): void {
  const text = readFileSync(page, 'utf8');
  const mark = (end: 'begin' | 'end') => `<!-- ${report.suite}: ${end} -->`;
  const from = text.indexOf(mark('begin'));
  const to = text.indexOf(mark('end'));
  if (from < 0 || to < from) throw new Error(`docs/proof.md has no place for ${report.suite}`);
  const before = text.slice(0, from + mark('begin').length);
  writeFileSync(page, `${before}\n\n${markdown(report)}\n\n${text.slice(to)}`);
}

function markdown(report: Report): string {
  const rows = report.results.map((result) => {
    const { part, law, tried, found } = result;
    return `| ${[`**${part}**`, law, figures(tried), figures(found), verdict(result)].join(' | ')} |`;
  });
  const broken = report.results.flatMap(({ part, broken: all }) =>
    all.map((sentence) => `- **${part}**: ${sentence.split('\n')[0]}`),
  );
  return [
    heading(report),
    '',
    '| part | law | tried | found | |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...(broken.length > 0 ? ['', ...broken] : []),
  ].join('\n');
}

function heading({ date, command, machine, minutes }: Report): string {
  const { processor, cores, memory, system, node, disk } = machine;
  return (
    `${date}, \`${command}\`, ${minutes.toFixed(0)} minutes; ${processor}, ${cores} cores, ` +
    `${memory} GB; ${system}; Node ${node}; journals on ${disk}`
  );
}

function verdict({ holds }: Result): string {
  return holds ? 'holds' : 'BROKEN';
}

function figures(all: Figures): string {
  return Object.entries(all)
    .map(([what, figure]) => {
      return `${typeof figure === 'number' ? figure.toLocaleString('en') : figure} ${what}`.trim();
    })
    .join(', ');
}
