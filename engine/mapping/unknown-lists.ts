/**
 * Lists whose code nobody here knows. Lists alone say what a reply answers (GP Connect 1.6, lists for
 * message structure), so what only such a list names is in no answer; the reader is told of it.
 */
import { member, textOf } from './evaluate.ts';
import { type CompiledMappings, engineTables } from './load.ts';
import { type Resource, identityOf } from './record.ts';
import { type Note, type Run, warn } from './scope.ts';

/** Lists of these kinds in the table `other-lists` are what GP Connect says they are. */
const explained: ReadonlySet<string> = new Set(['consultation', 'secondary']);

/** One note for each list that is not known and not empty; the analyst is warned of its code. */
export function unknownLists({ datasets, tables }: CompiledMappings, run: Run): Note[] {
  const others = tables.get(engineTables.otherLists)?.rows;
  const known = new Set<string>();
  for (const { lists } of datasets.values()) for (const { list } of lists) known.add(list.code);
  for (const { code, value } of others?.values() ?? [])
    if (explained.has(value ?? '')) known.add(code);

  return run.record.resources.flatMap((list): Note[] => {
    if (list.resourceType !== 'List' || list.encounter !== undefined) return [];
    const codes = codesOf(list);
    const names = member(member(member([list], 'entry'), 'item'), 'reference');
    if (names.length === 0) return [];
    if (codes.some((code) => known.has(code))) return [];
    warn(run, `the reply has a list of an unknown code: ${codes.join(', ') || 'none'}`);
    const title = textOf(list.title) ?? codes[0] ?? 'without a title';
    const text = `The GP system sent a list that is not known here: ${title}. What only this list names is not in this answer.`;
    const source = run.options.trace ? identityOf(list) : undefined;
    return [{ text, rule: 'List', source }];
  });
}

function codesOf(list: Resource): string[] {
  const codings = member(member([list], 'code'), 'coding');
  return codings.flatMap((one) => textOf(member([one], 'code')[0]) ?? []);
}
