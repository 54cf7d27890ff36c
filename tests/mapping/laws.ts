/**
 * The laws a mapped record obeys, whatever the record: read from the Bundle here, by other code
 * than the engine's, and looked for in the segments.
 */
import assert from 'node:assert/strict';
import type { MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';
import { type Json, at, codes, segmentsOf, texts } from './records.ts';

const array = (value: unknown): Json[] =>
  Array.isArray(value) ? (value as Json[]) : value === undefined ? [] : [value as Json];
const resourcesOf = (bundle: unknown) =>
  array((bundle as Json | undefined)?.entry).flatMap((entry) =>
    entry?.resource ? [entry.resource as Json] : [],
  );
const identity = (resource: Json) => `${String(resource.resourceType)}/${String(resource.id)}`;
const codeOf = (resource: Json) =>
  array((resource.code as Json | undefined)?.coding).map((coding) => coding.code);

/** The field that carries an item's id, by resource type: RSP_K11 and, as a row, ADR_A19. */
const idField: Record<string, [string, number]> = {
  AllergyIntolerance: ['IAM', 7],
  MedicationStatement: ['ORC', 3],
  Condition: ['PRB', 4],
};

interface Answered {
  id: string;
  resource: Json;
}

/** What primary lists name and the Bundle holds; every version of it where an id is used again. */
export function answered(bundle: unknown): Answered[] {
  const resources = resourcesOf(bundle);
  const found = new Map<string, Answered>();
  const primary: ReadonlySet<unknown> = new Set(Object.values(codes));
  for (const list of resources) {
    if (list.resourceType !== 'List' || !codeOf(list).some((code) => primary.has(code))) continue;
    for (const entry of array(list.entry)) {
      const reference = (entry.item as Json | undefined)?.reference;
      if (typeof reference !== 'string') continue;
      const named = reference.startsWith('#')
        ? array(list.contained).filter((one) => `#${String(one.id)}` === reference)
        : resources.filter((one) => identity(one) === reference);
      for (const resource of named) {
        if (!(String(resource.resourceType) in idField)) continue;
        found.set(JSON.stringify(resource), { id: identity(resource), resource });
      }
    }
  }
  return [...found.values()];
}

/** The ids that stand in the segments, by resource type. */
export function carriedIds(record: MappedRecord, profile: 'rsp' | 'a19'): string[] {
  const segments = segmentsOf(record);
  return Object.entries(idField).flatMap(([type, [name, field]]) =>
    segments.flatMap((segment) => {
      const isRow = profile === 'a19' && at(segment, 3) === `${name}-${field}`;
      const id = isRow ? at(segment, 5) : segment.name === name ? at(segment, field) : '';
      return id === '' ? [] : [`${type}/${id}`];
    }),
  );
}

/** Every listed item is carried exactly once, and nothing that no primary list names. */
export function assertExactlyOnce(
  bundle: unknown,
  record: MappedRecord,
  profile: 'rsp' | 'a19',
): void {
  assert.deepEqual(
    carriedIds(record, profile).sort(),
    answered(bundle)
      .map(({ id }) => id)
      .sort(),
  );
  const items = record.datasets.reduce((sum, dataset) => sum + dataset.items, 0);
  assert.equal(items, answered(bundle).length);
}

/** The segments that belong to each item: those made from it, and what follows up to the next. */
function groupsOf(record: MappedRecord): Map<string, MappedSegment[]> {
  const groups = new Map<string, MappedSegment[]>();
  for (const segment of segmentsOf(record)) {
    if (!segment.from) continue;
    const group = groups.get(segment.from);
    if (group) group.push(segment);
    else groups.set(segment.from, [segment]);
  }
  return groups;
}

/** Texts of an item that must survive word for word. */
function wordsOf(resource: Json, bundle: unknown): string[] {
  const words: unknown[] = [resource.id];
  const concept = (value: unknown) => {
    const { text, coding } = (value ?? {}) as { text?: unknown; coding?: unknown };
    words.push(text, ...array(coding).flatMap((one) => [one.code, one.display]));
  };
  concept(resource.code);
  for (const note of array(resource.note)) words.push(typeof note === 'string' ? note : note.text);
  for (const reaction of array(resource.reaction)) words.push(reaction.description);
  for (const dosage of array(resource.dosage)) words.push(dosage.text, dosage.patientInstruction);
  for (const identifier of array(resource.identifier)) words.push(identifier.value);
  const drug = (resource.medicationReference as Json | undefined)?.reference;
  const found = resourcesOf(bundle).find((one) => identity(one) === drug);
  if (found) concept(found.code);
  for (const { reference } of array(resource.basedOn)) {
    const plan = resourcesOf(bundle).find((one) => identity(one) === reference);
    for (const dosage of array(plan?.dosageInstruction))
      words.push(dosage.text, dosage.patientInstruction);
    for (const note of array(plan?.note)) words.push(note.text);
  }
  return words.filter((one): one is string => typeof one === 'string' && one !== '');
}

/** Every code, term, note and dosage of every listed item stands in that item's own segments. */
export function assertWordsSurvive(bundle: unknown, record: MappedRecord): void {
  const groups = groupsOf(record);
  for (const { id, resource } of answered(bundle)) {
    const shown = (groups.get(id) ?? []).flatMap(texts);
    for (const word of wordsOf(resource, bundle)) {
      assert.ok(
        shown.some((text) => text.includes(word)),
        `${id} lost the text "${word}"`,
      );
    }
  }
}

/** Every warning code and every note of a primary list survives. */
export function assertWarningsSurvive(bundle: unknown, record: MappedRecord): void {
  const shown = segmentsOf(record).flatMap(texts);
  const primary: ReadonlySet<unknown> = new Set(Object.values(codes));
  for (const list of resourcesOf(bundle)) {
    if (list.resourceType !== 'List' || !codeOf(list).some((code) => primary.has(code))) continue;
    for (const { url, valueCode } of array(list.extension)) {
      if (/ListWarningCode/.test(String(url)))
        assert.ok(shown.includes(String(valueCode)), String(valueCode));
    }
    for (const { text } of array(list.note)) assert.ok(shown.includes(String(text)), String(text));
  }
}

/** A current allergy is AL1; one that has ended never is. */
export function assertEndedApart(bundle: unknown, record: MappedRecord): void {
  const al1 = new Set(
    segmentsOf(record).flatMap(({ name, from }) => (name === 'AL1' ? [from] : [])),
  );
  for (const { id, resource } of answered(bundle)) {
    const { resourceType, clinicalStatus } = resource;
    if (resourceType !== 'AllergyIntolerance') continue;
    if (clinicalStatus === 'resolved') assert.ok(!al1.has(id), `${id} has ended`);
  }
}

/** Every text of the RSP_K11 segments of a resource stands in its ADR_A19 segments as well. */
export function assertNothingLostBetween(rsp: MappedRecord, a19: MappedRecord): void {
  const other = groupsOf(a19);
  for (const [id, segments] of groupsOf(rsp)) {
    const shown = new Set((other.get(id) ?? []).flatMap(texts));
    for (const segment of segments) {
      // Set ids count within the answer, which is another one.
      const own = { ...segment, fields: [...segment.fields] };
      if (segment.name !== 'PID') own.fields[1] = undefined;
      for (const text of texts(own)) assert.ok(shown.has(text), `${id}: ADR^A19 lost "${text}"`);
    }
  }
}

/** The segments ADR_A19 allows and no other. */
export function assertA19Shape(record: MappedRecord): void {
  for (const { name } of segmentsOf(record)) assert.match(name, /^(PID|PD1|PV1|OBX|AL1|DG1)$/);
}
