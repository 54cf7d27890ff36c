/** Item rules compiled: which resource, its joins, its segments, and the items that hang on it. */
import { type Path, holds } from './condition.ts';
import {
  type Reading,
  type ReadingScope,
  createReading,
  noteReads,
  noteWhole,
} from './coverage.ts';
import { type Values, child, member, textOf } from './evaluate.ts';
import { type Library, type Place, below, report, ruleAt } from './library.ts';
import { type Resource, identityOf } from './record.ts';
import type { ChildRule, ItemRule } from './schema.ts';
import { type Run, type Scope, leave, present, warn } from './scope.ts';
import { type Build, type Built, compileSegment } from './segments.ts';
import { compileAt } from './paths.ts';

/** One item as built: its segments, and those of the items that hang on it. */
export interface BuiltItem {
  segments: Built[];
  children: BuiltItem[];
  /** Listed things that were not in the reply: `Medication/12`. */
  missing: string[];
}

export interface CompiledItem {
  rule: ItemRule;
  /** Whether this rule takes this resource. */
  takes(resource: Resource, run: Run): boolean;
  /** The list of this name is where it is shown: its own, or the one `under` says. */
  shownUnder(resource: Resource, own: string, run: Run): string;
  /** @param list name of the list it is shown under (`%list`); empty for the Patient */
  build(resource: Resource, holder: Resource | undefined, list: string, run: Run): BuiltItem;
}

/** The variables every rule knows. */
export const runVariables = ['site', 'profile', 'version', 'now', 'list'] as const;

interface Joined {
  resources: { name: string; resource: Resource }[];
  scope: Scope;
  missing: string[];
}

/** Compile an item rule. */
export function compileItem(rule: ItemRule, place: Place, library: Library): CompiledItem {
  const common = compileCommon(rule, place, library, []);
  const children = rule.children.map((child, i) =>
    compileChild(child, below(place, 'children', i), library, common.names, common.own),
  );
  const { when } = common;
  const under =
    rule.under &&
    compileAt(rule.under.when, below(place, 'under', 'when'), library, common.reading);
  return {
    rule,
    takes: (resource, run) =>
      resource.resourceType === rule.resource && (!when || holds(when, [resource], run.variables)),
    shownUnder: (resource, own, run) =>
      rule.under && under && holds(under, [resource], run.variables) ? rule.under.list : own,
    build(resource, holder, list, run) {
      const parent = common.join(resource, holder, run, { list: [list] }, {});
      const item = common.build(parent);
      for (const child of children) {
        for (const one of child.of(resource, run)) {
          const { scope } = parent;
          const inner = child.join(one, holder, run, scope.variables, scope.places);
          if (child.when && !holds(child.when, [one], inner.scope.variables)) continue;
          const built = child.build(inner);
          item.children.push(built);
          item.missing.push(...built.missing);
        }
      }
      return item;
    },
  };
}

interface Common {
  own: Reading;
  reading: ReadingScope;
  names: ReadonlyMap<string, Reading>;
  when?: Path;
  join(
    resource: Resource,
    holder: Resource | undefined,
    run: Run,
    variables: Readonly<Record<string, Values>>,
    places: Readonly<Record<string, string>>,
  ): Joined;
  build(joined: Joined): BuiltItem;
}

function compileCommon(
  rule: ItemRule | ChildRule,
  place: Place,
  library: Library,
  outer: readonly (readonly [string, Reading])[],
): Common {
  const own = createReading();
  const joined = new Map<string, Reading>();
  const names = new Map<string, Reading>([
    ...runVariables.map((name) => [name, createReading()] as const),
    ...outer,
    ['resource', own],
  ]);
  const reading: ReadingScope = { focus: [own], variables: names };
  const joins: { name: string; paths: Path[]; rule: string }[] = [];
  for (const [name, sources] of Object.entries(rule.with)) {
    const at = below(place, 'with', name);
    const paths = sources.flatMap((source) => {
      const path = compileAt(source, at, library, reading);
      if (path?.expression) for (const one of noteReads(path.expression, reading)) one.whole = true;
      return path ?? [];
    });
    joins.push({ name, paths, rule: ruleAt(at) });
    const target = createReading();
    joined.set(name, target);
    names.set(name, target);
  }
  let when: Path | undefined;
  if (rule.when !== undefined) {
    when = compileAt(rule.when, below(place, 'when'), library, reading);
    if (when?.expression) noteReads(when.expression, reading);
  }
  const builds: Build[] = rule.segments.map((segment, i) => {
    const at = below(place, 'segments', i);
    return compileSegment(segment, at, library, reading);
  });
  return {
    own,
    reading,
    names,
    when,
    join(resource, holder, run, variables, places) {
      const from = identityOf(resource);
      const focus = [resource];
      const scope: Scope = {
        run,
        resource,
        from,
        variables: { ...run.variables, ...variables, resource: focus },
        focus,
        at: `${from}#`,
        places: run.options.trace ? { ...places, resource: `${from}#` } : {},
        leftovers: [],
      };
      const found: Joined = { resources: [], scope, missing: [] };
      for (const join of joins) follow(join, holder, found);
      return found;
    },
    build({ scope, resources, missing }) {
      const segments: Built[] = [];
      for (const build of builds) build(scope, segments);
      present(scope.run, scope.resource, own);
      for (const { name, resource } of resources) {
        const target = joined.get(name);
        if (target) present(scope.run, resource, target);
      }
      if (scope.leftovers.length > 0) attach(segments, scope);
      return { segments, children: [], missing };
    },
  };
}

/** Follow the first reference that leads anywhere; say so where it does not. */
function follow(
  join: { name: string; paths: readonly Path[]; rule: string },
  holder: Resource | undefined,
  found: Joined,
): void {
  const { scope } = found;
  const { record } = scope.run;
  for (const path of join.paths) {
    const targets: Resource[] = [];
    for (const reference of path.values(scope.focus, scope.variables)) {
      const to = textOf(child(reference, 'reference'));
      const target =
        to === undefined
          ? undefined
          : (record.resolve(to, scope.resource) ?? record.resolve(to, holder));
      if (target) {
        targets.push(target);
        found.resources.push({ name: join.name, resource: target });
        continue;
      }
      if (to !== undefined) {
        found.missing.push(to);
        warn(
          scope.run,
          `${join.rule}: ${path.source} refers to a resource that is not in the reply`,
        );
      }
      const label = textOf(child(reference, 'display'));
      const words = [label, to && `${to} (not in the reply)`].filter(Boolean).join(' ');
      if (words) leave(scope, path.source.replaceAll('%', ''), words, join.rule);
    }
    if (targets.length === 0) continue;
    scope.variables[join.name] = targets;
    if (scope.run.options.trace) {
      scope.places[join.name] = `${identityOf(targets[0] ?? scope.resource)}#`;
    }
    return;
  }
}

/** Notes that no segment took stand after the first; an item of notes alone gets an OBX for them. */
function attach(segments: Built[], scope: Scope): void {
  if (segments.length === 0) {
    const fields = [undefined, '1', 'ST', [['GPREC.NOTES', 'Notes', 'L']], undefined, 'see notes'];
    fields[11] = 'F';
    segments.push({ segment: { name: 'OBX', fields, from: scope.from }, notes: [] });
  }
  segments[0]?.notes.push(...scope.leftovers);
}

interface CompiledChild extends Common {
  of(parent: Resource, run: Run): readonly Resource[];
}

function compileChild(
  rule: ChildRule,
  place: Place,
  library: Library,
  outer: ReadonlyMap<string, Reading>,
  parent: Reading,
): CompiledChild {
  const { resource, theirs, ours } = rule;
  for (const [key, element] of Object.entries({ theirs, ours })) {
    if (!/^[a-z]\w*$/i.test(element)) {
      report(library, below(place, key), `"${element}" is no element name`);
    }
  }
  noteWhole(parent, ours);
  const inherited = [...outer].filter(([name]) => name !== 'resource');
  const common = compileCommon(rule, place, library, [...inherited, ['parent', parent]]);
  noteWhole(common.own, theirs);
  return {
    ...common,
    of(held, run) {
      const references = member(member([held], ours), 'reference').map(textOf);
      const found = references.flatMap((reference) =>
        reference === undefined ? [] : run.record.referring(resource, theirs, reference),
      );
      return [...new Set(found)];
    },
    join: (one, holder, run, variables, places) =>
      common.join(one, holder, run, { ...variables, parent: variables.resource ?? [] }, places),
  };
}
