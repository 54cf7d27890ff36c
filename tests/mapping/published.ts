/** Published records held to carrying all that their primary lists name, by other code than the engine's. */
import assert from 'node:assert/strict';
import type { Dataset } from '../../engine/gp/port.ts';
import type { MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';
import { type Json, at, map, segmentsOf, texts } from './records.ts';
import { treeCodes } from './trees.ts';

const listOf: Partial<Record<Dataset, string>> = {
  INV: treeCodes.investigations,
  OBS: treeCodes.uncategorised,
  ENC: treeCodes.consultations,
};
/** The row of ADR_A19 that carries an id; RSP_K11 has the segment and its field. */
const idRow: Record<string, [segment: string, field: number]> = {
  DiagnosticReport: ['OBR', 2],
  Encounter: ['PV1', 19],
};

const array = (value: unknown): Json[] =>
  Array.isArray(value) ? (value as Json[]) : value === undefined ? [] : [value as Json];
const resourcesOf = (bundle: unknown) =>
  array((bundle as Json).entry).flatMap(({ resource }) => (resource ? [resource as Json] : []));
const identity = ({ resourceType, id }: Json) => `${String(resourceType)}/${String(id)}`;

/** Each resource a primary list names, once. */
function listed(bundle: unknown, dataset: Dataset): Json[] {
  const resources = resourcesOf(bundle);
  const found = new Map<string, Json>();
  for (const list of resources) {
    const codes = array((list.code as Json | undefined)?.coding).map(({ code }) => code);
    if (list.resourceType !== 'List' || !codes.includes(listOf[dataset])) continue;
    for (const { item } of array(list.entry)) {
      const { reference } = (item ?? {}) as Json;
      const named = String(reference).startsWith('#')
        ? array(list.contained).filter((one) => `#${String(one.id)}` === reference)
        : resources.filter((one) => identity(one) === reference);
      for (const one of named) found.set(JSON.stringify(one), one);
    }
  }
  return [...found.values()];
}

/** The ids that stand where the id of this kind of resource stands. */
function idsIn(segments: readonly MappedSegment[], type: string): string[] {
  const [name, field] = idRow[type] ?? ['', 0];
  return segments.flatMap((segment) => {
    if (segment.name === name) return at(segment, field);
    const code = at(segment, 3);
    return code === `${name}-${field}` || (name === '' && code === 'GPREC.IDENT')
      ? at(segment, 5)
      : [];
  });
}

/** Words of a resource that must survive: codes, terms, texts, comments, notes, values. */
function wordsOf(resource: Json): string[] {
  const words: unknown[] = [resource.comment, resource.conclusion, resource.valueString];
  const concept = (value: unknown) => {
    const { text, coding } = (value ?? {}) as Json;
    words.push(text, ...array(coding).flatMap(({ code, display }) => [code, display]));
  };
  for (const key of ['code', 'valueCodeableConcept', 'interpretation', 'bodySite'])
    concept(resource[key]);
  for (const one of [...array(resource.type), ...array(resource.category)]) concept(one);
  for (const { text } of array(resource.note)) words.push(text);
  for (const { text } of array(resource.referenceRange)) words.push(text);
  for (const { value } of array(resource.identifier)) words.push(value);
  const values = [resource, ...array(resource.component)];
  for (const one of values) {
    concept(one.code);
    const { value, unit, comparator } = (one.valueQuantity ?? {}) as Json;
    words.push(value === undefined ? undefined : String(value), unit, comparator);
  }
  return words.filter((one): one is string => typeof one === 'string' && one !== '');
}

/**
 * Map every record, in both kinds of answer, and hold each dataset to showing every listed resource
 * once, with all of its words among its own segments.
 * @returns how many listed resources there were
 */
export function assertAllCarried(
  records: readonly { name: string; bundle: unknown }[],
  datasets: readonly Dataset[],
): number {
  let count = 0;
  for (const [i, { name, bundle }] of records.entries()) {
    for (const dataset of datasets) {
      const expected = listed(bundle, dataset);
      if (expected.length === 0) continue;
      count += expected.length;
      const below = hangingOn(expected, resourcesOf(bundle));
      // Every other one as ADR_A19 as well: the laws of tests/mapping/laws.ts compare the two.
      for (const profile of i % 2 === 0 ? (['rsp', 'a19'] as const) : (['rsp'] as const)) {
        const options = { datasets: [dataset], profile, site: { unknownStatus: 'F' } };
        assertCarried(map(bundle, options), expected, below, `${name} ${dataset} ${profile}`);
      }
    }
  }
  return count;
}

/** The observations that listed resources lead to: results, members, entries of consultations. */
function hangingOn(listed: readonly Json[], resources: readonly Json[]): Json[] {
  const byId = new Map(resources.map((one) => [identity(one), one]));
  const found = new Set<Json>();
  const waiting = [...listed];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    const own = identity(one);
    const lists = resources.filter(
      ({ resourceType, encounter }) =>
        resourceType === 'List' && (encounter as Json | undefined)?.reference === own,
    );
    const references = [
      ...array(one.result),
      ...array(one.related).flatMap(({ type, target }) => (type === 'has-member' ? target : [])),
      ...lists.flatMap(({ entry }) => array(entry).map(({ item }) => item)),
    ] as (Json | undefined)[];
    for (const reference of references) {
      const target = byId.get(String(reference?.reference));
      if (target?.resourceType !== 'Observation' || found.has(target)) continue;
      found.add(target);
      waiting.push(target);
    }
  }
  return [...found];
}

function assertCarried(
  record: MappedRecord,
  expected: readonly Json[],
  below: readonly Json[],
  where: string,
): void {
  const segments = segmentsOf(record);
  const all = segments.flatMap(texts).join('\n');
  for (const one of below) {
    // That it is a comment is what a note says by itself.
    const words = wordsOf(one).filter((word) => !/^(37331000000100|Comment note)$/.test(word));
    for (const word of words)
      assert.ok(all.includes(word), `${where}: ${identity(one)} lost "${word}"`);
  }
  const shownBy = new Map<string | undefined, string[]>();
  for (const segment of segments) {
    const held = shownBy.get(segment.from);
    if (held) held.push(...texts(segment));
    else shownBy.set(segment.from, texts(segment));
  }
  for (const type of new Set(expected.map(({ resourceType }) => String(resourceType)))) {
    const ids = idsIn(segments, type);
    for (const one of expected.filter(({ resourceType }) => resourceType === type)) {
      const again = expected.filter((other) => identity(other) === identity(one)).length;
      const found = ids.filter((id) => id === one.id).length;
      assert.equal(found, again, `${where}: ${identity(one)} is shown ${found} times`);
      const shown = shownBy.get(identity(one)) ?? [];
      for (const word of wordsOf(one)) {
        assert.ok(
          shown.some((text) => text.includes(word)),
          `${where}: ${identity(one)} lost "${word}"`,
        );
      }
    }
  }
}
