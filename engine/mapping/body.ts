/** What is built from one resource: the resources joined to it, and its segments. */
import type { Path } from './condition.ts';
import { type Reading, type ReadingScope, createReading, noteReads } from './coverage.ts';
import { type Variables, child, textOf } from './evaluate.ts';
import { type Library, type Place, below, report, ruleAt, suggestion } from './library.ts';
import { compileAt, placesOf } from './paths.ts';
import { type Resource, identityOf, isNamed } from './record.ts';
import type { PartRule } from './schema.ts';
import { type Run, type Scope, leave, present, warn } from './scope.ts';
import { type Build, type Built, compileSegment } from './segments.ts';

/** A resource with those its references lead to. */
export interface Joined {
  resources: { name: string; resource: Resource }[];
  scope: Scope;
  /** References that lead nowhere. */
  missing: string[];
  /** References that lead to several different resources. */
  several: string[];
}

export interface Body {
  /** What the rules read of the resource. */
  own: Reading;
  reading: ReadingScope;
  when?: Path;
  /** @param at its place, with the references that led there; only with a trace */
  join(
    resource: Resource,
    holder: Resource | undefined,
    run: Run,
    variables: Variables,
    at?: string,
  ): Joined;
  /** The segments; what they could not hold waits in the scope. */
  build(joined: Joined): Built[];
}

/**
 * Compile the rules for one resource.
 * @param known variables the rules may use besides those they join
 */
export function compileBody(
  rule: Pick<PartRule, 'when' | 'with' | 'named' | 'segments'>,
  place: Place,
  library: Library,
  known: readonly string[],
): Body {
  const own = createReading();
  const joined = new Map<string, Reading>();
  const names = new Map<string, Reading>([
    ...known.map((name) => [name, createReading()] as const),
    ['resource', own],
  ]);
  const reading: ReadingScope = { focus: [own], variables: names };
  const joins = Object.entries(rule.with).map(([name, sources]): Join => {
    const at = below(place, 'with', name);
    const paths = sources.flatMap((source) => {
      const path = compileAt(source, at, library, reading);
      if (path?.expression) for (const one of noteReads(path.expression, reading)) one.whole = true;
      return path ?? [];
    });
    const target = createReading();
    joined.set(name, target);
    names.set(name, target);
    return { name, paths, rule: ruleAt(at) };
  });
  for (const [i, name] of rule.named.entries()) {
    const may = [...joined.keys(), 'resource'];
    if (may.includes(name)) continue;
    const near = suggestion(name, may);
    report(library, below(place, 'named', i), `nothing joined here is called "${name}"${near}`);
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
  const carried = [...joined].filter(([name]) => !rule.named.includes(name));
  const isNamed = rule.named.includes('resource');
  return {
    own,
    reading,
    when,
    join(resource, holder, run, variables, at) {
      const scope = bareScope(resource, variables, run, at);
      const found: Joined = { resources: [], scope, missing: [], several: [] };
      for (const join of joins) follow(join, holder, found);
      return found;
    },
    build({ scope, resources }) {
      const segments: Built[] = [];
      for (const build of builds) build(scope, segments);
      if (!isNamed) present(scope.run, scope.resource, own);
      for (const { name, resource } of resources) {
        const target = carried.find(([one]) => one === name)?.[1];
        if (target) present(scope.run, resource, target);
      }
      return segments;
    },
  };
}

/** A resource before anything is joined to it. */
export function bareScope(
  resource: Resource,
  variables: Variables,
  run: Run,
  at = `${identityOf(resource)}#`,
): Scope {
  const from = identityOf(resource);
  const focus = [resource];
  return {
    run,
    resource,
    from,
    variables: { ...run.variables, ...variables, resource: focus },
    focus,
    at,
    places: run.options.trace ? { resource: [at] } : {},
    leftovers: [],
    unsaid: new Map(),
    said: new Set(),
    displays: [],
  };
}

interface Join {
  name: string;
  paths: readonly Path[];
  rule: string;
}

/** Follow the first reference that leads anywhere; say so where it does not. */
function follow(join: Join, holder: Resource | undefined, found: Joined): void {
  const { scope } = found;
  const { record, options } = scope.run;
  for (const path of join.paths) {
    const targets: Resource[] = [];
    const reached: string[] = [];
    const places = options.trace ? placesOf(path, scope) : [];
    for (const [i, reference] of path.values(scope.focus, scope.variables).entries()) {
      const place = places[i] ?? scope.at;
      const to = textOf(child(reference, 'reference'));
      // Repeated ids occur: where they are different people or places, both are shown.
      const own = to === undefined ? [] : record.different(to, scope.resource);
      const all = own.length > 0 || to === undefined ? own : record.different(to, holder);
      const words = textOf(child(reference, 'display'));
      if (words !== undefined && all.length > 0 && !all.some((one) => isNamed(one, words))) {
        const label = path.source.replaceAll('%', '');
        scope.displays.push({ words, label, rule: join.rule, place });
      }
      for (const target of all) {
        targets.push(target);
        if (options.trace) reached.push(`${place} → ${identityOf(target)}#`);
        found.resources.push({ name: join.name, resource: target });
      }
      if (all.length > 1 && to !== undefined) found.several.push(to);
      if (all.length === 0) leadsNowhere(found, reference, path, join.rule, place);
    }
    if (targets.length === 0) continue;
    scope.variables[join.name] = targets;
    if (options.trace) scope.places[join.name] = reached;
    return;
  }
}

/** Say of a reference that it leads nowhere, with the words that came with it. */
export function leadsNowhere(
  { scope, missing }: Joined,
  reference: unknown,
  path: Path,
  rule: string,
  place: string,
): void {
  const to = textOf(child(reference, 'reference'));
  if (to !== undefined) {
    missing.push(to);
    warn(scope.run, `${rule}: ${path.source} refers to a resource that is not in the reply`);
  }
  const label = textOf(child(reference, 'display'));
  const words = [label, to && `${to} (not in the reply)`].filter(Boolean).join(' ');
  if (words) leave(scope, path.source.replaceAll('%', ''), words, rule, place);
}

/** Note that these references are read: they are followed to what hangs on the resource. */
export function noteFollowed(path: Path | undefined, reading: ReadingScope): void {
  if (!path?.expression) return;
  for (const one of noteReads(path.expression, reading)) one.whole = true;
}
