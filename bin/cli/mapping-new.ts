/** `gatehouse mapping new`: a small mapping with comments, a sample, and a case that passes. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { playMapping } from '../../engine/cases/mapping-case.ts';
import type { Dataset } from '../../engine/gp/port.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { type Start, feedStart, recordStart } from './mapping-starts.ts';
import { CommandError, print, say } from './output.ts';
import { ownFolder } from './own-folder.ts';
import { siteFolder } from './site-folder.ts';

interface NewOptions {
  site?: string;
  dataset?: Dataset;
  feed?: boolean;
  dryRun?: boolean;
  output: Form;
}

/** Make a mapping. @returns 1 where one of its files is there already */
export async function make(name: string, options: NewOptions): Promise<number> {
  if (!options.feed === !options.dataset) {
    throw new CommandError('what is it to map? a record or a feed', '--dataset CODE, or --feed');
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || ['feeds', 'tables'].includes(name)) {
    throw new CommandError(
      `"${name}" is no name of a mapping`,
      'lower-case letters, digits and hyphens; not feeds and not tables',
    );
  }
  const root = siteFolder(options.site);
  const start = options.dataset ? recordStart(name, options.dataset) : feedStart(name);
  const { files, shared } = start;
  const there = [...files.keys()].filter((file) => existsSync(join(root, file)));
  if (there.length > 0) {
    const says = `there already: ${there.join(', ')}; nothing was written`;
    throw new CommandError(says, 'choose another name, or edit what is there', exits.failed);
  }
  const brought = shared.filter((file) => !existsSync(join(root, file.path)));
  const created = [...files.keys(), ...brought.map(({ path }) => path)];
  if (!options.dryRun) write(root, start, brought);
  const value = { mapping: start.mapping, created, dryRun: options.dryRun === true };
  printOne(options.output, 'mappingNew', value, () => {
    for (const file of created) print(`${options.dryRun ? 'would create' : 'created'} ${file}`);
  });
  if (!options.dryRun) say(`next: ${start.watch}`);
  return exits.ok;
}

/** All of it or nothing: what the case expects is what came out. */
function write(root: string, { files, caseFile }: Start, brought: Start['shared']): void {
  const written: string[] = [];
  try {
    for (const { path, text } of [
      ...Array.from(files, ([path, text]) => ({ path, text })),
      ...brought,
    ]) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      written.push(file);
      if (text === undefined) cpSync(join(ownFolder(), path), file);
      else writeFileSync(file, text, { flag: 'wx' });
    }
    const file = join(root, caseFile);
    const story = readCase(file);
    if (!story.mapping) throw new TypeError('the case names no mapping');
    const { results } = playMapping(story, story.mapping);
    if (/^(GH-\d+.*)?$/.test(results[0]?.out.trim() ?? '')) {
      throw new TypeError(`the case comes to nothing: ${results[0]?.out}`);
    }
    writeFileSync(file, updatedCase(readFileSync(file, 'utf8'), story, results));
  } catch (error) {
    for (const file of written) rmSync(file, { force: true });
    throw error;
  }
}
