/**
 * What a resource of the Bundle has to do with the answer. Only a resource that no primary list of
 * a dataset asked for names, and that nothing shown leads to, may be left behind whole.
 */
import type { Dataset } from '../gp/port.ts';
import { same as equal, member, textOf } from '../mapping/evaluate.ts';
import { type CompiledMappings, engineTables } from '../mapping/load.ts';
import type { IndexedRecord, Resource } from '../mapping/record.ts';

export interface Standing {
  /**
   * `answer`: every leaf must be carried or have a row of its own. `unlisted`, `notAsked`: it is no
   * answer. `same`: another resource that is shown says all that it says. `unknown`: a type that
   * neither a rule nor a row knows. `stranger`: a list of a code that nobody knows, which may be an
   * answer to anything, so that no row explains it.
   */
  kind: 'answer' | 'unlisted' | 'notAsked' | 'same' | 'unknown' | 'stranger';
  why: string;
}

/** Judges resources of one mapped record. */
export function createStanding(
  compiled: CompiledMappings,
  record: IndexedRecord,
  presented: ReadonlySet<object>,
  asked: readonly Dataset[],
  bundle: Resource,
): (resource: Resource, holder?: Resource) => Standing {
  const { datasets, leftBehind, tables } = compiled;
  const others = tables.get(engineTables.otherLists);
  const listed = (wanted: boolean) =>
    [...datasets.values()]
      .filter(({ dataset }) => asked.includes(dataset) === wanted)
      .flatMap(({ lists }) => lists.map(({ list }) => list.code));
  const askedCodes = new Set(listed(true));
  const allCodes = new Set([...askedCodes, ...listed(false)]);
  const top = new Set(record.resources);
  const answers = namedBy(askedCodes);
  const elsewhere = namedBy(allCodes);

  /** What the lists with these codes name. */
  function namedBy(codes: ReadonlySet<string>): ReadonlySet<Resource> {
    const found = new Set<Resource>();
    for (const code of codes) {
      for (const list of record.lists(code)) {
        for (const reference of member(member(member([list], 'entry'), 'item'), 'reference')) {
          for (const one of record.versions(String(reference), list)) found.add(one);
        }
      }
    }
    return found;
  }

  function ofList(list: Resource): Standing | undefined {
    const codings = member(member([list], 'code'), 'coding');
    const codes = codings.flatMap((one) => textOf(member([one], 'code')[0]) ?? []);
    if (codes.some((code) => askedCodes.has(code))) return answer;
    if (codes.some((code) => allCodes.has(code))) return notAsked;
    const known = (codes.length > 0 ? codes : ['']).some((code) => others?.rows.has(code));
    if (presented.has(list)) return answer;
    return known ? undefined : { kind: 'stranger', why: 'nobody knows the code of this list' };
  }

  return (resource, holder) => {
    const { resourceType } = resource;
    // Only what stands in the Bundle itself, or in a resource of it, was read at all.
    if (!holder && !top.has(resource)) return resource === bundle ? answer : unread;
    if (resourceType === 'List') {
      const standing = ofList(resource);
      if (standing) return standing;
    }
    // Every answer names the patient; what else is known of one is a dataset of its own.
    if (resourceType === 'Patient' && !asked.includes('PAT')) return notAsked;
    if (presented.has(resource)) return answer;
    if (isRepeat(resource, presented)) return same;
    if (answers.has(resource)) return answer;
    if (hangsOn(resource, record, presented)) return answer;
    if (elsewhere.has(resource)) return notAsked;
    const row = leftBehind.get(resourceType);
    if (row?.class === 'unlisted') return { kind: 'unlisted', why: row.where };
    return { kind: 'unknown', why: 'no rule and no row knows this type of resource' };
  };
}

const answer: Standing = { kind: 'answer', why: '' };
/** Why a repeat need not be shown. */
export const sameShown = 'another one that is shown says the same';
const same: Standing = { kind: 'same', why: sameShown };
const unread: Standing = { kind: 'unknown', why: 'a resource in this place is not read' };
const notAsked: Standing = {
  kind: 'notAsked',
  why: 'only a dataset that was not asked for has it',
};

/** A resource that is shown and says everything that this one says, whatever its id. */
function isRepeat(resource: Resource, presented: ReadonlySet<object>): boolean {
  const said = Object.keys(resource).filter((name) => !['id', 'meta', 'text'].includes(name));
  if (said.length < 2) return false;
  for (const other of presented as ReadonlySet<Resource>) {
    if (other.resourceType !== resource.resourceType || other === resource) continue;
    if (said.every((name) => equal(resource[name], other[name]))) return true;
  }
  return false;
}

/** An issue of a plan that is shown must be shown with it, though no list names it. */
function hangsOn(
  resource: Resource,
  record: IndexedRecord,
  presented: ReadonlySet<object>,
): boolean {
  if (resource.resourceType !== 'MedicationRequest') return false;
  return member(member([resource], 'basedOn'), 'reference').some((reference) => {
    const plan = record.resolve(String(reference), resource);
    return plan !== undefined && presented.has(plan);
  });
}
