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

/** The items of a dataset, list by list: only what a primary list names is an answer. */
export function gather(mapping: CompiledDataset, run: Run): Group[] {
  const groups = mapping.lists.map(({ list, rule }): Group => {
    const cautions = limits(mapping.dataset, run);
    return { list, rule, items: [], missing: [], cautions };
  });
  const taken: Taken[] = [];
  for (const own of groups) {
    for (const holder of run.record.lists(own.list.code)) {
      for (const reference of entriesOf(holder)) {
        const versions = run.record.versions(reference, holder);
        if (versions.length === 0) own.missing.push(reference);
        if (versions.length > 1) own.cautions.push(severalVersions(reference));
        for (const resource of versions) {
          if (!take(resource, holder, own, groups, mapping, taken, run))
            own.missing.push(reference);
        }
      }
    }
  }
  return groups;
}

interface Taken {
  resource: Resource;
  group: Group;
}

/** Carry one listed resource, unless it was carried already; false where no rule takes it. */
function take(
  resource: Resource,
  holder: Resource,
  own: Group,
  groups: readonly Group[],
  mapping: CompiledDataset,
  taken: Taken[],
  run: Run,
): boolean {
  const { list: name } = own.list;
  const rule = mapping.items.find(
    (item) => item.rule.lists.includes(name) && item.takes(resource, run),
  );
  if (!rule) {
    warn(run, `no rule of ${mapping.file} takes a ${resource.resourceType} from the list ${name}`);
    return false;
  }
  const shown = rule.shownUnder(resource, name, run);
  const group = groups.find(({ list }) => list.list === shown) ?? own;
  const again = taken.some(
    (one) =>
      one.resource === resource || (one.group === group && isSameItem(one.resource, resource)),
  );
  if (again) return true;
  taken.push({ resource, group });
  const built = rule.build(resource, holder, shown, run);
  if (otherSubject(resource, run)) {
    group.cautions.push(subjectDiffers);
    built.segments[0]?.notes.push({ text: subjectDiffers.text });
  }
  group.items.push(built);
  group.missing.push(...built.missing.filter(isClinical));
  return true;
}

const subjectDiffers = {
  code: 'subject-differs',
  text: 'The GP system recorded this item under another patient id than the patient of this record',
};

const severalVersions = (reference: string) => ({
  code: 'several-versions',
  text: `The GP system sent several different items under one id; all of them are shown: ${reference}`,
});

function entriesOf(list: Resource): string[] {
  const items = member(member([list], 'entry'), 'item');
  const references = member(items, 'reference').map(textOf);
  return [...new Set(references)].filter((one) => one !== undefined);
}

/** The same item listed twice: as itself and `contained`, or under one identifier and code. */
function isSameItem(a: Resource, b: Resource): boolean {
  if (a === b) return true;
  if (!same(a.code, b.code)) return false;
  if (identityOf(a) === identityOf(b)) return same(a, b) || same(a.identifier, b.identifier);
  return (
    a.identifier !== undefined &&
    same(a.identifier, b.identifier) &&
    same(a.onsetDateTime, b.onsetDateTime)
  );
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
  return (
    patient !== undefined &&
    reference !== undefined &&
    localReference(reference) !== identityOf(patient)
  );
}

/** A search that began on a day is no whole answer. */
function limits(dataset: Dataset, { options: { medicationFrom } }: Run): Group['cautions'] {
  if (dataset !== 'MED' || medicationFrom === undefined) return [];
  const text = `Medication that ended before ${medicationFrom} was not asked for`;
  return [{ code: searchLimited, text }];
}
