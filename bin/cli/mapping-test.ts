/** `gatehouse mapping test`: the cases that use a mapping. */
import { type TestOptions, test } from './cases.ts';
import { exits } from './exits.ts';
import { casesUsing, mappingNamed, mappingNames } from './mapping-names.ts';
import { CommandError } from './output.ts';
import { siteFolder } from './site-folder.ts';
import { soundSite } from './sites.ts';
import { watchCases } from './watch-cases.ts';

/** Play the cases of a mapping, or of all of them. @returns 6 where one differs */
export async function testMapping(name: string | undefined, options: TestOptions): Promise<number> {
  const root = siteFolder(options.site);
  const named = name === undefined ? mappingNames(root) : [mappingNamed(root, name)];
  // What is being watched may be unsound for a while: each round says so.
  if (options.watch) return watchCases(root);
  const { channels } = soundSite(options.site);
  const files = named.flatMap((mapping) => casesUsing(root, mapping, channels));
  if (files.length === 0) {
    throw new CommandError(
      `no case uses ${name === undefined ? 'a mapping' : `the mapping "${name}"`}`,
      'write one in fixtures/ that begins with "mapping: NAME", or for a channel that maps with it',
      exits.notFound,
    );
  }
  return test([...new Set(files)], options);
}
