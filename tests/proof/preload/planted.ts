/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: one line of one file is
 * another one, in memory only. Which one, says `bug` in the query of this module's address.
 */
import { registerHooks } from 'node:module';
import { bugs } from '../planted/bugs.ts';

const wanted = new URL(import.meta.url).searchParams.get('bug');
const bug = bugs.find(({ name }) => name === wanted);
if (bug === undefined) throw new RangeError(`there is no planted bug "${wanted}"`);
const file = new URL(`../../../${bug.file}`, import.meta.url).href;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (url !== file) return loaded;
    const parts = String(loaded.source).split(bug.find);
    if (parts.length !== 2) throw new Error(`${bug.file} has not exactly one "${bug.find}"`);
    return { ...loaded, source: parts.join(bug.replace) };
  },
});
