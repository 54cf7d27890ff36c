/**
 * A GP record as it arrived: a FHIR STU3 Bundle whose shape nobody has vouched for, indexed once.
 * Dangling references, repeated ids, lists without ids and `contained` resources all occur.
 */
import { type Values, member, same, textOf } from './evaluate.ts';

export interface Resource {
  resourceType: string;
  id?: unknown;
  [element: string]: unknown;
}

/** One issue of an OperationOutcome that came inside the Bundle. */
export interface Issue {
  /** Identity of its OperationOutcome. */
  from: string;
  /** `diagnostics` and `details.text`: the parameter it is about stands in either. */
  diagnostics?: string;
  text?: string;
}

export interface IndexedRecord {
  resources: readonly Resource[];
  patient?: Resource;
  issues: readonly Issue[];
  /** Lists with this SNOMED CT code. */
  lists(code: string): readonly Resource[];
  /** The resource a reference means; `holder` is where `#id` is looked up. */
  resolve(reference: string, holder?: Resource): Resource | undefined;
  /** Every different resource that goes by this reference: repeated ids occur. */
  versions(reference: string, holder?: Resource): readonly Resource[];
  /** The same without those that differ only in how they were made (`meta`, `text`). */
  different(reference: string, holder?: Resource): readonly Resource[];
  /**
   * Resources of a type that refer to this, in the order of the Bundle.
   * @param key names the references that are read; they are read once for each resource of the type
   */
  referring(
    type: string,
    key: string,
    references: (resource: Resource) => Values,
    reference: string,
  ): readonly Resource[];
}

/** `AllergyIntolerance/123`; the type alone where there is no id. */
export function identityOf(resource: Resource): string {
  const id = textOf(resource.id);
  return id === undefined ? resource.resourceType : `${resource.resourceType}/${id}`;
}

/** Index a Bundle. Anything that is no Bundle gives an empty record; nothing throws. */
export function indexRecord(bundle: unknown): IndexedRecord {
  const resources: Resource[] = [];
  const byIdentity = new Map<string, Resource[]>();
  const lists = new Map<string, Resource[]>();
  const issues: Issue[] = [];
  let patient: Resource | undefined;
  for (const entry of member([bundle], 'entry')) {
    // A resource that stands in `entry` itself occurs.
    const [resource] = isResource(entry) ? [entry] : member([entry], 'resource');
    if (!isResource(resource)) continue;
    resources.push(resource);
    append(byIdentity, identityOf(resource), resource);
    const url = textOf((entry as { fullUrl?: unknown }).fullUrl);
    if (url !== undefined) append(byIdentity, url, resource);
    if (resource.resourceType === 'Patient') patient ??= resource;
    if (resource.resourceType === 'List') {
      const codes = member(member(member([resource], 'code'), 'coding'), 'code');
      for (const code of new Set(codes.map(textOf))) if (code) append(lists, code, resource);
    }
    if (resource.resourceType === 'OperationOutcome') issues.push(...issuesOf(resource));
  }

  const versions = (reference: string, holder?: Resource): readonly Resource[] => {
    if (reference.startsWith('#')) {
      const id = reference.slice(1);
      return member([holder], 'contained')
        .filter(isResource)
        .filter((one) => one.id === id || one.id === reference);
    }
    return versionsOf(reference);
  };
  // A practitioner is referred to by hundreds of items: each reference is looked at once.
  const versionsOf = remembering((reference) => {
    const found = byIdentity.get(reference) ?? byIdentity.get(localReference(reference)) ?? [];
    return firsts(found, same);
  });
  const differentOf = remembering((reference) => firsts(versionsOf(reference), saysTheSame));
  const referring = new Map<string, Map<string, Resource[]>>();
  /** References to the same resource mean the same, however they are written. */
  const meaning = (reference: string): string => {
    const [target] = versions(reference);
    return target ? identityOf(target) : localReference(reference);
  };
  return {
    resources,
    patient,
    issues,
    lists: (code) => lists.get(code) ?? [],
    versions,
    different(reference, holder) {
      return reference.startsWith('#')
        ? firsts(versions(reference, holder), saysTheSame)
        : differentOf(reference);
    },
    resolve: (reference, holder) => versions(reference, holder)[0],
    referring(type, key, references, reference) {
      let index = referring.get(`${type} ${key}`);
      if (!index) {
        index = new Map();
        for (const resource of resources) {
          if (resource.resourceType !== type) continue;
          for (const target of references(resource).map(textOf)) {
            if (target === undefined) continue;
            const meant = meaning(target);
            if (index.get(meant)?.at(-1) !== resource) append(index, meant, resource);
          }
        }
        referring.set(`${type} ${key}`, index);
      }
      return index.get(meaning(reference)) ?? [];
    },
  };
}

/** Whether every word of a text is a word of a resource's name. */
export function isNamed(resource: Resource, text: string): boolean {
  const names = member([resource], 'name');
  const parts = ['family', 'given', 'prefix', 'suffix', 'text'].flatMap((part) =>
    member(names, part),
  );
  const words = (one: unknown) => (textOf(one) ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const known = new Set([...names, ...parts].flatMap(words));
  return words(text).every((word) => known.has(word));
}

/** Whether two resources say the same of what they are about. */
function saysTheSame(one: Resource, other: Resource): boolean {
  const content = ({ meta: _meta, text: _text, ...rest }: Resource) => rest;
  return same(content(one), content(other));
}

/** `Type/id` of a reference that may be absolute or name a version. */
export function localReference(reference: string): string {
  if (!reference.includes('/')) return reference;
  const parts = reference.split('/');
  const history = parts.indexOf('_history');
  return (history > 0 ? parts.slice(0, history) : parts).slice(-2).join('/');
}

/** Of those that are alike, the first. */
function firsts(
  all: readonly Resource[],
  alike: (one: Resource, other: Resource) => boolean,
): readonly Resource[] {
  if (all.length < 2) return all;
  return all.filter((one, i) => all.findIndex((other) => alike(one, other)) === i);
}

function remembering<T>(of: (reference: string) => T): (reference: string) => T {
  const known = new Map<string, T>();
  return (reference) => {
    let found = known.get(reference);
    if (found === undefined) known.set(reference, (found = of(reference)));
    return found;
  };
}

function issuesOf(outcome: Resource): Issue[] {
  return member([outcome], 'issue').map((issue) => {
    const details = member([issue], 'details');
    const first = (of: Values, name: string) => textOf(member(of, name)[0]);
    const diagnostics = first([issue], 'diagnostics');
    const text = first(details, 'text') ?? wordsOf(issue, details, diagnostics);
    return { from: identityOf(outcome), diagnostics, text };
  });
}

/** An issue without a text is not for that without a meaning: its code and its name are words, too. */
function wordsOf(issue: unknown, details: Values, diagnostics?: string): string | undefined {
  const codings = member(details, 'coding');
  const [name] = member(codings, 'display').flatMap((one) => textOf(one) ?? []);
  const [code] = [...member(codings, 'code'), ...member([issue], 'code')].map(textOf);
  if (diagnostics === undefined) return name ?? code;
  return name === undefined ? undefined : `${name}: ${diagnostics}`;
}

function isResource(value: unknown): value is Resource {
  const type = (value as { resourceType?: unknown } | null | undefined)?.resourceType;
  return typeof value === 'object' && typeof type === 'string';
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const held = map.get(key);
  if (held) held.push(value);
  else map.set(key, [value]);
}
