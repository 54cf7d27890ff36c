/** `gatehouse channel test`: cases played, compared and updated. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { coverageOf } from '../../engine/cases/coverage.ts';
import { type Played, playCases } from '../../engine/cases/play.ts';
import { routesOf } from '../../engine/config/site.ts';
import { shortPath } from '../../engine/config/yaml.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { siteFolder, soundSite } from './sites.ts';

interface TestOptions {
  site?: string;
  steps?: boolean;
  update?: boolean;
  coverage?: boolean;
  output: Form;
}

/** Play cases. @returns 6 where one differs */
export async function test(files: string[], options: TestOptions): Promise<number> {
  const root = siteFolder(options.site);
  const named =
    files.length > 0
      ? files
      : globSync('fixtures/**/*.case', { cwd: root }).map((f) => join(root, f));
  if (named.length === 0)
    throw new CommandError('there are no cases', 'write one in fixtures/', exits.notFound);
  const stories = named.sort().map((file) => {
    if (!existsSync(file))
      throw new CommandError(`there is no case ${file}`, undefined, exits.notFound);
    return readCase(resolve(file));
  });
  const site = soundSite(options.site);
  const patients = join(root, 'fixtures', 'patients');
  const played = await playCases(stories, site.channels, patients);
  if (options.update) update(played);
  const failed = played.filter(({ differences }) => differences.length > 0 && !options.update);
  const coverage = options.coverage
    ? coverageOf(
        routesOf(site.channels),
        played.flatMap(({ steps }) => steps),
      )
    : undefined;
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
    say(`${played.length - failed.length} of ${played.length} cases pass`);
  });
  return failed.length > 0 ? exits.findings : exits.ok;
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
  if (!bad) return;
  for (const { section, at, expected, got } of differences) {
    print(
      `    ${section} ${style('bold', at)} expected ${style('green', expected || 'empty')}, got ${style('red', got || 'empty')}`,
    );
  }
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
