/** Which resources answer: those a primary list names, each once, and nothing else. */
import type { Dataset } from '../gp/port.ts';
import { searchLimited } from './completeness.ts';
import { member, same, textOf } from './evaluate.ts';
import type { BuiltItem, CompiledItem } from './items.ts';
import type { CompiledDataset } from './load.ts';
import { type Resource, identityOf, localReference } from './record.ts';
import type { PrimaryList } from './schema.ts';
import { type Run, warn } from './scope.ts';

/** What one primary list gave. */
export interface Group {
  list: PrimaryList;
  rule: string;
  items: BuiltItem[];
  missing: string[];
  cautions: { code: string; text: string }[];
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

/** One listed resource, the rule that takes it and the list it is shown under. */
interface Candidate {
  resource: Resource;
  identity: string;
  holder: Resource;
  /** It stands inside its list (`contained`). */
  contained: boolean;
  rule: CompiledItem;
  group: Group;
}

/** The items of a dataset, list by list: only what a primary list names is an answer. */
export function gather(mapping: CompiledDataset, run: Run): Group[] {
  const groups = mapping.lists.map(({ list, rule }): Group => {
    const cautions = limits(mapping.dataset, run);
    return { list, rule, items: [], missing: [], cautions };
  });
  const candidates = groups.flatMap((own) =>
    run.record.lists(own.list.code).flatMap((holder) =>
      entriesOf(holder, own, run).flatMap((reference) => {
        const versions = run.record.versions(reference, holder);
        if (versions.length === 0) own.missing.push(reference);
        if (versions.length > 1) own.cautions.push(severalVersions(reference));
        return versions.flatMap((resource) => {
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
      }),
    ),
  );
  for (const candidate of withoutRepeats(candidates)) {
    const { resource, holder, rule, group } = candidate;
    const built = rule.build(resource, holder, group.list.list, run);
    if (otherSubject(resource, run)) {
      group.cautions.push(subjectDiffers);
      built.segments[0]?.notes.push({ text: subjectDiffers.text });
    }
    group.items.push(built);
    group.missing.push(...built.missing.filter(isClinical));
  }
  return groups;
}

/** The first rule that takes a resource from this list. */
function ruleFor(
  resource: Resource,
  { list: { list } }: Group,
  mapping: CompiledDataset,
  run: Run,
): CompiledItem | undefined {
  const found = mapping.items.find(
    (item) => item.rule.lists.includes(list) && item.takes(resource, run),
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
function withoutRepeats(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(
    (one, i) =>
      !candidates.some((other, j) => {
        if (i === j) return false;
        if (one.resource === other.resource) return j < i;
        return one.group === other.group && repeats(one, other) && (j < i || !repeats(other, one));
      }),
  );
}

function repeats(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one.resource, other.resource];
  const isSame =
    one.identity === other.identity ||
    ((one.contained || other.contained) &&
      a.identifier !== undefined &&
      same(a.identifier, b.identifier));
  return isSame && Object.keys(a).every((name) => technical.has(name) || same(a[name], b[name]));
}

const technical: ReadonlySet<string> = new Set(['id', 'meta', 'text']);

const subjectDiffers = {
  code: 'subject-differs',
  text: 'The GP system recorded this item under another patient id than the patient of this record',
};

const severalVersions = (reference: string) => ({
  code: 'several-versions',
  text: `The GP system sent several different items under one id; all of them are shown: ${reference}`,
});

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

/** A resource of people or places that is not in the reply costs no clinical content. */
const isClinical = (reference: string) =>
  !/^(Practitioner|PractitionerRole|Organization|Location|Encounter|Patient)$/.test(
    localReference(reference).split('/')[0] ?? '',
  );

function otherSubject(resource: Resource, run: Run): boolean {
  const { patient } = run.record;
  const reference = textOf(
    member(member([resource], 'patient'), 'reference')[0] ??
      member(member([resource], 'subject'), 'reference')[0],
  );
  if (patient === undefined || reference === undefined) return false;
  const target = run.record.resolve(reference);
  return (target ? identityOf(target) : localReference(reference)) !== identityOf(patient);
}

/** A search that was limited by dates is no whole answer. */
function limits(dataset: Dataset, { options }: Run): Group['cautions'] {
  const text = options.limits?.[dataset];
  return text === undefined ? [] : [{ code: searchLimited, text }];
}
