/** Parts: rules for resources that hang on others, by name, and how they are found there. */
import { type Body, compileBody, noteFollowed } from './body.ts';
import { type Path, holds } from './condition.ts';
import { type Reading, type ReadingScope, createReading } from './coverage.ts';
import { type Values, type Variables, child, textOf } from './evaluate.ts';
import { type Library, type Place, below, report, ruleAt, suggestion } from './library.ts';
import { compileAt, placesOf } from './paths.ts';
import { type Resource, identityOf } from './record.ts';
import type { ChildRule, PartRule } from './schema.ts';
import type { Scope } from './scope.ts';

/** A rule with what hangs on it. */
export interface CompiledPart extends Body {
  isNotes: boolean;
  /** The resource is only named: what else it holds is not missed. */
  isNamed: boolean;
  /** The type of resource it carries; * for any. */
  type: string;
  /** @param variables made only where its condition needs them */
  takes(resource: Resource, variables: () => Variables): boolean;
  children: readonly CompiledChild[];
  /** Types of what may hang on it, at any depth; * aside. */
  below(): ReadonlySet<string>;
}

export interface CompiledChild {
  rule: string;
  /** The path that finds them, for warnings and notes. */
  path: Path;
  /** The parts that may carry one, in their order. */
  parts: () => readonly CompiledPart[];
  /** What the finding reads of those found, where their references are followed. */
  reading?: Reading;
  /** What is found on a resource, in order: the reference as it stands, and where it leads. */
  find(scope: Scope, holder: Resource | undefined): Found[];
}

export interface Found {
  reference: unknown;
  /** Every version of it: repeated ids occur. None: it leads nowhere. */
  resources: readonly Resource[];
  place: string;
}

/** The variables every rule knows. */
export const runVariables = [
  'site',
  'profile',
  'version',
  'now',
  'list',
  'asked',
  'matched',
] as const;
/** Those a part knows besides: what it hangs on, and whether another dataset answers with it. */
const partVariables = ['parent', 'elsewhere'] as const;

/** The parts of all files, each compiled once, when something first refers to it. */
export interface Parts {
  get(name: string): CompiledPart | undefined;
  /** The type of resource a part carries. */
  typeOf(name: string): string | undefined;
  names(): string[];
}

/**
 * Compile every part, so that each finding is reported whether or not a rule uses it.
 * @param rules the parts of all files, with their places
 */
export function compileParts(
  rules: ReadonlyMap<string, { rule: PartRule; place: Place }>,
  library: Library,
): Parts {
  const compiled = new Map<string, CompiledPart>();
  const parts: Parts = {
    get: (name) => compiled.get(name),
    typeOf: (name) => rules.get(name)?.rule.resource,
    names: () => [...rules.keys()],
  };
  const known = [...runVariables, ...partVariables];
  for (const [name, { rule, place }] of rules) {
    compiled.set(name, compilePart(rule, place, library, parts, known));
  }
  return parts;
}

/** Compile a rule with its children. The parts these name may be compiled later. */
export function compilePart(
  rule: PartRule,
  place: Place,
  library: Library,
  parts: Parts,
  known: readonly string[],
): CompiledPart {
  const body = compileBody(rule, place, library, known);
  // Where they are found does not depend on what is joined.
  const finding: ReadingScope = {
    focus: [body.own],
    variables: new Map([
      ...known.map((name) => [name, createReading()] as const),
      ['resource', body.own],
    ]),
  };
  const { when } = body;
  const { resource: type } = rule;
  let types: Set<string> | undefined;
  const part: CompiledPart = {
    ...body,
    type,
    isNotes: rule.notes === 'yes',
    isNamed: rule.named.includes('resource'),
    takes: (resource, variables) =>
      (type === '*' || resource.resourceType === type) &&
      (!when || holds(when, [resource], variables())),
    children: rule.children.flatMap((child, i) => {
      const at = below(place, 'children', i);
      return compileChild(child, at, library, parts, finding) ?? [];
    }),
    below: () => (types ??= typesBelow(part)),
  };
  return part;
}

function typesBelow(part: CompiledPart): Set<string> {
  const seen = new Set<CompiledPart>();
  const open = [part];
  for (let one = open.pop(); one; one = open.pop()) {
    for (const inner of one.children.flatMap((child) => child.parts())) {
      if (!seen.has(inner)) open.push(inner);
      seen.add(inner);
    }
  }
  return new Set([...seen].map(({ type }) => type).filter((type) => type !== '*'));
}

/** Report that no part has this name. */
export function reportUnknown(name: string, parts: Parts, place: Place, library: Library): void {
  report(library, place, `there is no part "${name}"${suggestion(name, parts.names())}`);
}

function compileChild(
  rule: ChildRule,
  place: Place,
  library: Library,
  parts: Parts,
  finding: ReadingScope,
): CompiledChild | undefined {
  for (const [i, name] of rule.parts.entries()) {
    const at = below(place, 'parts', i);
    const type = parts.typeOf(name);
    if (type === undefined) reportUnknown(name, parts, at, library);
    else if (type === '*' && rule.theirs) {
      report(library, at, `"${name}" takes any resource: "theirs" needs parts of one type each`);
    }
  }
  const own = (key: 'follow' | 'ours') => {
    const source = rule[key];
    if (source === undefined) return undefined;
    const path = compileAt(source, below(place, key), library, finding);
    noteFollowed(path, finding);
    return path;
  };
  let named: CompiledPart[] | undefined;
  const common = {
    rule: ruleAt(place),
    parts: () => (named ??= rule.parts.flatMap((name) => parts.get(name) ?? [])),
  };
  const follow = own('follow');
  if (follow) return { ...common, path: follow, find: forward(follow) };
  const { theirs } = rule;
  if (theirs === undefined) return undefined;
  const at = below(place, 'theirs');
  const reading = createReading();
  const path = compileAt(theirs, at, library, { focus: [reading], variables: new Map() });
  if (!path) return undefined;
  noteFollowed(path, { focus: [reading], variables: new Map() });
  const types = [...new Set(rule.parts.flatMap((name) => parts.typeOf(name) ?? []))];
  return { ...common, path, reading, find: backward(path, own('ours'), types) };
}

/** Our own references, in the order in which they stand. */
function forward(path: Path): CompiledChild['find'] {
  return (scope, holder) => {
    const places = scope.run.options.trace ? placesOf(path, scope) : [];
    return path.values(scope.focus, scope.variables).map((reference, i) => {
      const to = textOf(child(reference, 'reference'));
      const { record } = scope.run;
      const own = to === undefined ? [] : record.versions(to, scope.resource);
      const resources = own.length > 0 || to === undefined ? own : record.versions(to, holder);
      return { reference, resources, place: places[i] ?? scope.at };
    });
  };
}

/** Resources whose references lead to us, or to what ours lead to; in the order of the Bundle. */
function backward(
  theirs: Path,
  ours: Path | undefined,
  types: readonly string[],
): CompiledChild['find'] {
  const read = (resource: Resource): Values =>
    theirs.values([resource], {}).map((one) => child(one, 'reference'));
  return (scope) => {
    const { record } = scope.run;
    const own =
      ours?.values(scope.focus, scope.variables).map((one) => child(one, 'reference')) ??
      (scope.resource.id === undefined ? [] : [scope.from]);
    const found = own.flatMap((reference) => {
      const to = textOf(reference);
      if (to === undefined) return [];
      return types.flatMap((type) => record.referring(type, theirs.source, read, to));
    });
    return found.map((resource) => ({
      reference: { reference: identityOf(resource) },
      resources: [resource],
      place: `${identityOf(resource)}#`,
    }));
  };
}
