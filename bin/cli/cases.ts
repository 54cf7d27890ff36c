/** `gatehouse channel test`: cases played, compared and updated. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { type RouteCoverage, coverageOf } from '../../engine/cases/coverage.ts';
import { type Played, playCases } from '../../engine/cases/play.ts';
import { faultByCode } from '../../engine/faults.ts';
import { type Site, routesOf } from '../../engine/config/site.ts';
import { nearest, shortPath } from '../../engine/config/yaml.ts';
import { allCases, casesOf, patientsOf } from '../../engine/cases/files.ts';
import { exits } from './exits.ts';
import { type Form, isForPeople, printRows } from './form.ts';
import { junit } from './junit.ts';
import { CommandError, print, say, style } from './output.ts';
import { siteFolder } from './site-folder.ts';
import { soundSite } from './sites.ts';
import { watchCases } from './watch-cases.ts';

export interface TestOptions {
  site?: string;
  steps?: boolean;
  update?: boolean;
  watch?: boolean;
  coverage?: boolean;
  reporter?: string;
  reportFile?: string;
  output: Form;
}

/** Play cases. @returns 6 where one differs */
export async function test(given: string[], options: TestOptions): Promise<number> {
  if (options.watch) return watchCases(siteFolder(options.site));
  if (options.reporter !== undefined && options.reporter !== 'junit') {
    throw new CommandError(`there is no reporter "${options.reporter}"`, '--reporter junit');
  }
  const root = siteFolder(options.site);
  const [name = '', message, ...others] = given;
  // A message is no case: nothing says what has to come of it.
  if (message !== undefined && others.length === 0 && !/\.case$/.test(message)) {
    if (existsSync(message) && statSync(message).isFile()) {
      return (await import('./dry-run.ts')).dryRun(root, name, message, options);
    }
  }
  const site = soundSite(options.site);
  const files = filesOf(given, root, site);
  const began = performance.now();
  const played = await playCases(
    files.map((file) => readCase(file)),
    site.channels,
    patientsOf(root),
  );
  const took = performance.now() - began;
  if (options.update) update(played);
  const failed = played.filter(({ differences }) => differences.length > 0 && !options.update);
  const coverage = options.coverage
    ? coverageOf(
        routesOf(site.channels),
        played.flatMap(({ steps }) => steps),
      )
    : undefined;
  if (options.reporter) report(junit(played, took), options.reportFile);
  if (!options.reporter || options.reportFile) tellAll(played, coverage, options);
  if (isForPeople(options.output)) {
    say(`${played.length - failed.length} of ${played.length} cases pass`);
  }
  return failed.length > 0 ? exits.findings : exits.ok;
}

/** Files as they are named; of a channel its cases; all of them where nothing is named. */
function filesOf(given: string[], root: string, { channels }: Site): string[] {
  const names = channels.map(({ channel }) => channel.channel);
  const found = given.flatMap((one) => {
    if (existsSync(one) && statSync(one).isFile()) {
      if (!/\.hl7$/i.test(one)) return [resolve(one)];
      const next = `gatehouse channel test CHANNEL ${one}`;
      throw new CommandError(`${one} is a message and no case: name the channel it is for`, next);
    }
    const own = casesOf(root, one);
    if (own.length > 0) return own;
    if (names.includes(one)) {
      const says = `there is no case of channel "${one}"`;
      throw new CommandError(says, 'write one in fixtures/', exits.notFound);
    }
    const near = nearest(one, names);
    const says = `there is no case ${one}${near ? `, but a channel "${near}"` : ''}`;
    throw new CommandError(says, 'name a file, or a channel', exits.notFound);
  });
  const all = given.length > 0 ? [...new Set(found)] : allCases(root);
  if (all.length > 0) return all.sort();
  throw new CommandError('there are no cases', 'write one in fixtures/', exits.notFound);
}

function report(xml: string, file: string | undefined): void {
  if (file === undefined) return print(xml);
  writeFileSync(file, xml);
  say(`${file} is written`);
}

function tellAll(
  played: Played[],
  coverage: RouteCoverage[] | undefined,
  options: TestOptions,
): void {
  const rows = played.map(({ story, differences, results }) => ({
    file: shortPath(story.file),
    title: story.title,
    passed: differences.length === 0 || options.update === true,
    differences,
    ...(options.steps ? { results } : {}),
  }));
  const beside = coverage ? { coverage } : {};
  printRows(options.output, { kind: 'cases', key: 'cases', rows, beside }, () => {
    for (const one of played) tell(one, options);
    for (const { route, walked, of, missing } of coverage ?? []) {
      const rest = missing.length > 0 ? `; not walked: ${missing.join(', ')}` : '';
      print(`route ${route}: ${walked} of ${of} state outcomes are walked${rest}`);
    }
  });
}

function tell({ story, differences, results }: Played, options: TestOptions): void {
  const bad = differences.length > 0 && !options.update;
  print(
    `${bad ? style('red', 'differs') : style('green', 'passes ')}  ${shortPath(story.file)}  ${story.title}`,
  );
  if (options.steps) {
    for (const { journal, out } of results) {
      for (const line of journal.split('\n')) if (line) print(`    ${line}`);
      for (const line of out.split('\n')) if (line) print(style('dim', `      ${line}`));
    }
  }
  if (!bad) {
    const untold = options.update ? '' : leftOut(story, results);
    if (untold) {
      const parked = /^\S+ parked .*$/m.exec(untold)?.[0];
      const what = parked ? `of ${style('red', parked)}` : 'of what is delivered';
      print(`    it says nothing ${what}; --update writes it down`);
    }
    return;
  }
  for (const code of unexpected(differences)) {
    const { says = '', next = '' } = faultByCode(code) ?? {};
    print(`    ${style('red', code)} ${says}\n    next: ${next}`);
  }
  for (const one of differences) {
    const { section, at, expected, got, why } = one;
    const reason = why === undefined ? '' : ` (${why})`;
    print(
      `    ${section} ${style('bold', at)} expected ${style('green', expected || 'empty')}, got ${style('red', got || 'empty')}${reason}`,
    );
  }
}

/** What is delivered, and a case that states the rest says nothing of. */
function leftOut({ exchanges }: Played['story'], results: Played['results']): string {
  return exchanges
    .map(({ out, journal, delivered }, i) => {
      const whole = out !== undefined && journal !== undefined;
      return whole && delivered === undefined ? (results[i]?.delivered ?? '') : '';
    })
    .join('');
}

/** Faults that the case does not expect: what was refused explains most of what differs. */
function unexpected(differences: Played['differences']): Set<string> {
  const ended = differences.filter(({ section }) => section === 'journal');
  const codeIn = (text: string) => /^rejected (\S+)/.exec(text)?.[1];
  return new Set(
    ended
      .filter(({ expected, got }) => codeIn(expected) !== codeIn(got))
      .flatMap(({ got }) => codeIn(got) ?? []),
  );
}

function update(played: Played[]): void {
  for (const { story, results } of played) {
    const before = readFileSync(story.file, 'utf8');
    const after = updatedCase(before, story, results);
    if (after === before) continue;
    writeFileSync(story.file, after);
    say(`${shortPath(story.file)} updated`);
  }
}
