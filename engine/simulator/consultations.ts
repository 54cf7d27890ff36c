/**
 * Consultations as a provider returns them: the Encounters the primary List names, the Lists that
 * hold each one together (consultation, topics, headings), and the items these name (GP Connect
 * 1.6, "Consultation guidance").
 */
import type { Encounter, FhirResource, List } from 'fhir/r3.js';
import type { RecordIndex } from './references.ts';

/** SNOMED CT code of the List that stands for one consultation. */
const consultation = '325851000000107';

/** The Encounter an entry of the primary List means: some systems name its List instead. */
export function encounterOf(resource: FhirResource, index: RecordIndex): Encounter | undefined {
  if (resource.resourceType === 'Encounter') return resource;
  if (resource.resourceType !== 'List' || !resource.encounter) return undefined;
  const found = index.find(resource.encounter);
  return found?.resourceType === 'Encounter' ? found : undefined;
}

/**
 * With consultations asked for: the Lists of those chosen and the problems of their topics, added
 * to `chosen`.
 * @returns the items their Lists name, in order
 */
export function contentsOf(chosen: Set<FhirResource>, index: RecordIndex): Set<FhirResource> {
  const items = new Set<FhirResource>();
  const walk = (list: List): void => {
    if (chosen.has(list) && codeOf(list) !== consultation) return;
    chosen.add(list);
    for (const { extension: parts } of list.extension ?? []) {
      for (const { valueReference } of parts ?? []) {
        for (const problem of valueReference ? index.findAll(valueReference) : [])
          items.add(problem);
      }
    }
    for (const { item } of list.entry ?? []) {
      const found = index.find(item);
      if (found?.resourceType === 'List') walk(found);
      else if (found) items.add(found);
    }
  };
  const encounters = new Set<FhirResource>();
  for (const resource of chosen) {
    const encounter = encounterOf(resource, index);
    if (encounter) encounters.add(encounter);
  }
  for (const encounter of encounters) chosen.add(encounter);
  for (const list of index.lists) {
    const own = codeOf(list) === consultation ? encounterOf(list, index) : undefined;
    if (own && encounters.has(own)) walk(list);
  }
  return items;
}

const codeOf = (list: List) => list.code?.coding?.[0]?.code;
