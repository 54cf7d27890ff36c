/** Played cases as JUnit XML, which build servers read: a test suite a channel, a test a case. */
import type { Played } from '../../engine/cases/play.ts';
import { shortPath } from '../../engine/config/yaml.ts';

/** @param tookMs all of them together: cases are played beside each other */
export function junit(played: readonly Played[], tookMs: number): string {
  const suites = new Map<string, Played[]>();
  for (const one of played) {
    const name = one.story.exchanges[0]?.channel ?? '';
    suites.set(name, [...(suites.get(name) ?? []), one]);
  }
  const failures = played.filter(({ differences }) => differences.length > 0).length;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gatehouse" tests="${played.length}" failures="${failures}" time="${(tookMs / 1000).toFixed(3)}">`,
    ...Array.from(suites, ([name, cases]) => suiteOf(name, cases)),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function suiteOf(name: string, cases: readonly Played[]): string {
  const failed = cases.filter(({ differences }) => differences.length > 0).length;
  const head = `  <testsuite name="${escaped(name)}" tests="${cases.length}" failures="${failed}">`;
  return [head, ...cases.map(caseOf), '  </testsuite>'].join('\n');
}

function caseOf({ story, differences }: Played): string {
  const file = escaped(shortPath(story.file));
  const head = `    <testcase name="${escaped(story.title)}" classname="${file}" file="${file}"`;
  if (differences.length === 0) return `${head}/>`;
  const told = differences.map(({ section, at, expected, got, why }) => {
    const reason = why === undefined ? '' : ` (${why})`;
    return `${section} ${at} expected ${expected || 'empty'}, got ${got || 'empty'}${reason}`;
  });
  const count = told.length === 1 ? '1 difference' : `${told.length} differences`;
  return `${head}>\n      <failure message="${count}">${escaped(told.join('\n'))}</failure>\n    </testcase>`;
}

/** XML 1.0 has no place for control characters, not even escaped. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
