/** Records that are trees: reports, observations that hang on each other, consultations. */
import type { Dataset } from '../../engine/gp/port.ts';
import type { MapOptions } from '../../engine/mapping/apply.ts';
import type { MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';
import { type Json, at, bundle, list, map, named, patient, segmentsOf } from './records.ts';

export const treeCodes = {
  investigations: '887191000000108',
  uncategorised: '826501000000100',
  consultations: '1149501000000101',
} as const;
export const sections = {
  consultation: '325851000000107',
  topic: '25851000000105',
  heading: '24781000000107',
} as const;
export const commentNote = '37331000000100';

export const snomed = (code: string, display: string): Json => ({
  coding: [{ system: 'http://snomed.info/sct', code, display }],
});
export const ref = (reference: string): Json => ({ reference });
export const hasMember = (...ids: string[]) =>
  ids.map((id) => ({ type: 'has-member', target: ref(`Observation/${id}`) }));
export const derivedFrom = (...ids: string[]) =>
  ids.map((id) => ({ type: 'derived-from', target: ref(`Observation/${id}`) }));

export function observation(id: string, more: Json = {}): Json {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: snomed('1', `Term ${id}`),
    subject: ref('Patient/p1'),
    effectiveDateTime: '2011-03-04',
    ...more,
  };
}

export const comment = (id: string, words: string, more: Json = {}): Json =>
  observation(id, { code: snomed(commentNote, 'Comment note'), comment: words, ...more });

export function report(id: string, results: string[], more: Json = {}): Json {
  return {
    resourceType: 'DiagnosticReport',
    id,
    status: 'unknown',
    code: snomed('721981007', 'Diagnostic studies report'),
    subject: ref('Patient/p1'),
    issued: '2011-03-05T10:00:00+00:00',
    result: results.map((one) => ref(`Observation/${one}`)),
    ...more,
  };
}

export function encounter(id: string, more: Json = {}): Json {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    type: [{ text: 'GP Surgery' }],
    subject: ref('Patient/p1'),
    period: { start: '2011-03-04T10:30:00+00:00' },
    ...more,
  };
}

/** A list of a consultation; without an id where none is given. */
export const section = (
  kind: keyof typeof sections,
  id: string | undefined,
  entries: string[],
  more: Json = {},
): Json =>
  list(sections[kind], entries, {
    ...(id === undefined ? {} : { id }),
    title: `${kind} ${id ?? ''}`.trim(),
    encounter: ref('Encounter/e'),
    ...more,
  });

const areas: Partial<Record<Dataset, [code: string, type: string]>> = {
  INV: [treeCodes.investigations, 'DiagnosticReport'],
  OBS: [treeCodes.uncategorised, 'Observation'],
  ENC: [treeCodes.consultations, 'Encounter'],
};

/** A mapped dataset whose primary list names these ids, or these references as they stand. */
export function answer(
  dataset: Dataset,
  listed: string[],
  resources: Json[],
  options: Partial<MapOptions> = {},
): MappedRecord {
  const [code = '', type = ''] = areas[dataset] ?? [];
  const names = listed.map((id) => (id.includes('/') ? id : `${type}/${id}`));
  const record = bundle(patient, list(code, names), ...resources);
  return map(record, { datasets: [dataset], site: { unknownStatus: 'F' }, ...options });
}

/** The segments under the status line. */
export const shown = (record: MappedRecord) =>
  segmentsOf(record).filter(({ from }) => from !== undefined && !from.startsWith('Patient'));

/** Ids of the observations that are shown, each as often as it is. */
export const shownIds = (record: MappedRecord) =>
  segmentsOf(record)
    .filter((segment) => at(segment, 3) === 'GPREC.IDENT')
    .flatMap(({ fields }) => {
      const [first] = Array.isArray(fields[5]) ? fields[5] : [];
      return typeof first?.[0] === 'string' ? [first[0]] : [];
    });

/** The first segment with this OBX-3.1. */
export const observed = (segments: readonly MappedSegment[], code: string) =>
  segments.find((segment) => segment.name === 'OBX' && at(segment, 3) === code);

/** The notes of the segment made by the same rule as the first with this term. */
export function notesUnder(segments: readonly MappedSegment[], term: string): unknown[] {
  const start = segments.findIndex((segment) =>
    [at(segment, 3, 2), at(segment, 4, 2)].includes(term),
  );
  const rest = segments.slice(start + 1);
  const end = rest.findIndex(({ name }) => name !== 'NTE');
  return named(end < 0 ? rest : rest.slice(0, end), 'NTE').map((note) => note.fields[3]);
}
