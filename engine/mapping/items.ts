/** Item rules compiled: which listed resource one takes, where it is shown, and what it builds. */
import { compileAt } from './paths.ts';
import { holds } from './condition.ts';
import { child, textOf } from './evaluate.ts';
import { type Library, type Place, below, report } from './library.ts';
import {
  type CompiledPart,
  type Parts,
  compilePart,
  reportUnknown,
  runVariables,
} from './parts.ts';
import type { Resource } from './record.ts';
import type { ItemRule } from './schema.ts';
import type { Run } from './scope.ts';
import { type BuiltTree, type Setting, buildTree } from './tree.ts';

export type { BuiltItem, BuiltTree } from './tree.ts';

export interface CompiledItem {
  rule: ItemRule;
  /** What builds it: its own segments, or the part it names. */
  part(): CompiledPart | undefined;
  /** Whether this rule takes this resource. */
  takes(resource: Resource, run: Run): boolean;
  /** What a listed resource stands for (`for`), where that is in the reply, else itself. */
  means(resource: Resource, run: Run): readonly Resource[];
  /** The list of this name is where it is shown: its own, or the one `under` says. */
  shownUnder(resource: Resource, own: string, run: Run): string;
  /**
   * @param list name of the list it is shown under (`%list`); empty for the Patient
   * @param more what else of the answer it has to know
   */
  build(
    resource: Resource,
    holder: Resource | undefined,
    list: string,
    run: Run,
    more?: Pick<Setting, 'shown' | 'elsewhere'>,
  ): BuiltTree;
}

/** Compile an item rule. The part it names may be compiled later. */
export function compileItem(
  rule: ItemRule,
  place: Place,
  library: Library,
  parts: Parts,
): CompiledItem {
  const { part: name, segments } = rule;
  if (name !== undefined && parts.typeOf(name) === undefined) {
    reportUnknown(name, parts, below(place, 'part'), library);
  }
  const given = [name !== undefined, segments.length > 0, rule.for !== undefined];
  if (given.filter(Boolean).length !== 1) {
    report(library, place, 'give one of part, segments and for');
  }
  const own = compilePart({ ...rule, notes: undefined }, place, library, parts, runVariables);
  const part = () => (name === undefined ? own : parts.get(name));
  const under =
    rule.under && compileAt(rule.under.when, below(place, 'under', 'when'), library, own.reading);
  const target =
    rule.for === undefined
      ? undefined
      : compileAt(rule.for, below(place, 'for'), library, own.reading);
  return {
    rule,
    part,
    means(resource, run) {
      const references = target?.values([resource], run.variables) ?? [];
      const found = references.flatMap((one) => {
        const to = textOf(child(one, 'reference'));
        return to === undefined ? [] : run.record.versions(to, resource);
      });
      return found.length > 0 ? found : [resource];
    },
    takes: (resource, run) => own.takes(resource, () => run.variables),
    shownUnder: (resource, list, run) =>
      rule.under && under && holds(under, [resource], run.variables) ? rule.under.list : list,
    build: (resource, holder, list, run, more) =>
      buildTree(part() ?? own, resource, { run, list, holder, ...more }),
  };
}
