/** Which resources answer: those a primary list names, each once, and nothing else. */
import type { Dataset } from '../gp/port.ts';
import { searchLimited } from './completeness.ts';
import { member, same, textOf } from './evaluate.ts';
import type { BuiltItem, CompiledItem } from './items.ts';
import type { CompiledDataset, DatasetItem } from './load.ts';
import { type Resource, identityOf } from './record.ts';
import type { PrimaryList } from './schema.ts';
import { type Run, warn } from './scope.ts';
import {
  type BuiltTree,
  isClinical,
  listedBelow,
  loneFirst,
  otherSubject,
  severalVersions,
  subjectDiffers,
} from './tree.ts';

/** What one primary list gave. */
export interface Group {
  list: PrimaryList;
  rule: string;
  /** The resources shown under this list. */
  chosen: Chosen[];
  missing: string[];
  cautions: { code: string; text: string }[];
}

/** One listed resource, the rule that takes it and the list it is shown under. */
export interface Chosen {
  resource: Resource;
  identity: string;
  holder: Resource;
  /** It stands inside its list (`contained`). */
  contained: boolean;
  rule: DatasetItem;
  group: Group;
}

/** Items about the Patient itself. */
export function ofPatient(
  rules: readonly CompiledItem[],
  place: 'patient' | 'dataset',
  asked: boolean,
  run: Run,
): BuiltItem[] {
  const { patient } = run.record;
  if (!patient) return [];
  return rules
    .filter(({ rule }) => rule.lists.length === 0 && rule.place === place)
    .filter(({ rule }) => asked || rule.asked === undefined)
    .filter((item) => item.takes(patient, run))
    .map((item) => item.build(patient, undefined, '', run))
    .filter((item) => item.segments.length > 0);
}

/** What the primary lists of a dataset name, list by list: nothing else is an answer. */
export function choose(mapping: CompiledDataset, run: Run): Group[] {
  const groups = mapping.lists.map(({ list, rule }): Group => {
    const cautions = limits(mapping.dataset, run);
    return { list, rule, chosen: [], missing: [], cautions };
  });
  const candidates = groups.flatMap((own) =>
    run.record.lists(own.list.code).flatMap((holder) => {
      if (otherSubject(holder, run)) own.cautions.push(subjectDiffers);
      return entriesOf(holder, own, run).flatMap((reference) => {
        const versions = run.record.versions(reference, holder);
        if (versions.length === 0) own.missing.push(reference);
        if (versions.length > 1) own.cautions.push(severalVersions(reference));
        return versions
          .flatMap((one) => meant(one, own, mapping, run))
          .flatMap((resource) => {
            const rule = ruleFor(resource, own, mapping, run);
            if (!rule) {
              own.missing.push(reference);
              return [];
            }
            const shown = rule.shownUnder(resource, own.list.list, run);
            const group = groups.find(({ list }) => list.list === shown) ?? own;
            const contained = reference.startsWith('#');
            return { resource, identity: identityOf(resource), holder, contained, rule, group };
          });
      });
    }),
  );
  const shown = withoutRepeats(candidates);
  const someContained = shown.some(({ contained }) => contained);
  for (const chosen of shown) {
    chosen.group.chosen.push(chosen);
    if (someContained && shown.some((other) => contradicts(chosen, other))) {
      chosen.group.cautions.push(severalVersions(chosen.identity));
    }
    if (otherSubject(chosen.resource, run)) chosen.group.cautions.push(subjectDiffers);
  }
  return groups;
}

/**
 * The items of one list; what they refer to and the reply does not hold is noted in the group. A
 * listed resource that hangs on another listed one is shown there.
 * @param elsewhere whether another dataset of this answer shows a resource
 */
export function build(
  group: Group,
  run: Run,
  elsewhere: (resource: Resource) => boolean,
): BuiltTree[] {
  const { list } = group.list;
  const shown = new Map(group.chosen.map(({ resource }) => [resource, false]));
  const types = new Set(group.chosen.map(({ resource }) => resource.resourceType));
  const hanging = new Set(
    group.chosen.flatMap(({ resource, holder, rule }) => {
      const part = rule.part();
      if (!part || ![...types].some((type) => part.below().has(type))) return [];
      return listedBelow(part, resource, { run, list, holder, shown, elsewhere });
    }),
  );
  const roots = group.chosen.filter(({ resource }) => !hanging.has(resource));
  // What hangs on each other in a circle is begun at the first that is listed.
  const items = [...roots, ...group.chosen].flatMap(({ resource, holder, rule }) => {
    if (shown.get(resource)) return [];
    const built = rule.build(resource, holder, list, run, { shown, elsewhere });
    group.missing.push(...built.missing.filter(isClinical));
    group.cautions.push(...built.cautions);
    return [built];
  });
  return loneFirst(items);
}
/** What a listed resource is taken for: what it stands for, where a rule says so, else itself. */
function meant(
  resource: Resource,
  { list: { list } }: Group,
  mapping: CompiledDataset,
  run: Run,
): readonly Resource[] {
  const standing = mapping.items.find(
    ({ rule, takes }) =>
      rule.for !== undefined && rule.lists.includes(list) && takes(resource, run),
  );
  return standing?.means(resource, run) ?? [resource];
}

/** The first rule that takes a resource from this list. */
function ruleFor(
  resource: Resource,
  { list: { list } }: Group,
  mapping: CompiledDataset,
  run: Run,
): DatasetItem | undefined {
  const found = mapping.items.find(
    ({ rule, takes }) =>
      rule.for === undefined && rule.lists.includes(list) && takes(resource, run),
  );
  if (!found) {
    warn(run, `no rule of ${mapping.file} takes a ${resource.resourceType} from the list ${list}`);
  }
  return found;
}

/**
 * Each item once: a resource that several lists name, and an item that stands both `contained` and
 * on its own. A repeat is left out only where what is shown says everything that it says.
 */
function withoutRepeats(candidates: readonly Chosen[]): Chosen[] {
  return candidates.filter(
    (one, i) =>
      !candidates.some((other, j) => {
        if (i === j) return false;
        if (one.resource === other.resource) return j < i;
        return one.group === other.group && repeats(one, other) && (j < i || !repeats(other, one));
      }),
  );
}

/** An item that stands `contained` and on its own, and says something else there. */
const contradicts = (one: Chosen, other: Chosen) =>
  one.contained !== other.contained && isSame(one, other);

function isSame(one: Chosen, other: Chosen): boolean {
  const [a, b] = [one.resource, other.resource];
  return (
    one.identity === other.identity ||
    ((one.contained || other.contained) &&
      a.identifier !== undefined &&
      same(a.identifier, b.identifier))
  );
}

function repeats(one: Chosen, other: Chosen): boolean {
  const [a, b] = [one.resource, other.resource];
  return (
    isSame(one, other) &&
    Object.keys(a).every((name) => technical.has(name) || same(a[name], b[name]))
  );
}

const technical: ReadonlySet<string> = new Set(['id', 'meta', 'text']);

/** What a list names. What it merely contains is no answer; the analyst is told. */
function entriesOf(holder: Resource, { list: { list } }: Group, run: Run): string[] {
  const items = member(member([holder], 'entry'), 'item');
  const references = new Set(member(items, 'reference').map(textOf));
  for (const id of member(member([holder], 'contained'), 'id')) {
    if (!references.has(`#${String(id)}`)) {
      warn(run, `the list ${list} contains a resource that it does not list`);
    }
  }
  return [...references].filter((one) => one !== undefined);
}

/** A search that was limited by dates is no whole answer. */
function limits(dataset: Dataset, { options }: Run): Group['cautions'] {
  const text = options.limits?.[dataset];
  return text === undefined ? [] : [{ code: searchLimited, text }];
}
