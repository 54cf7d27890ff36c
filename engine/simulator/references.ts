/** Finds resources of one record by reference. Records may repeat an id: the first one counts. */
import type { Bundle, FhirResource, List, Reference } from 'fhir/r3.js';

export interface RecordIndex {
  /** In the order of the Bundle. */
  resources: FhirResource[];
  /** The Lists of areas; those inside consultations and secondary ones included. */
  lists: List[];
  find(reference: Reference): FhirResource | undefined;
  /** What these references lead to; those that lead nowhere are left out. */
  findAll(references: Reference | Reference[] | undefined): FhirResource[];
}

/** Index a record. */
export function createIndex(record: Bundle): RecordIndex {
  const resources = (record.entry ?? []).flatMap(({ resource }) =>
    resource ? [resource as FhirResource] : [],
  );
  const byReference = new Map<string, FhirResource>();
  for (const resource of resources) {
    const key = `${resource.resourceType}/${resource.id ?? ''}`;
    if (resource.id !== undefined && !byReference.has(key)) byReference.set(key, resource);
  }
  const find = ({ reference }: Reference): FhirResource | undefined =>
    reference === undefined ? undefined : byReference.get(reference);
  return {
    resources,
    lists: resources.filter((resource) => resource.resourceType === 'List'),
    find,
    findAll: (references = []) =>
      (Array.isArray(references) ? references : [references]).flatMap((each) => find(each) ?? []),
  };
}
