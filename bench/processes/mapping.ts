/**
 * The mapping of one GP record, beside what nobody can do without: parsing its JSON. Each time the
 * record is parsed afresh, so that nothing is remembered of the last time.
 */
import { join, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { mapRecord } from '../../engine/mapping/apply.ts';
import { loadMappings } from '../../engine/mapping/load.ts';
import { largeRecord } from '../samples.ts';
import type { Dataset } from '../../engine/gp/port.ts';
import { spread } from '../figures.ts';
import { answerRequests } from './requests.ts';

export interface MappingRequest {
  /** A file with a Bundle; without one, a record made of the fixture patient's. */
  file?: string;
  /** What is asked for; all of it unless told. */
  datasets?: readonly Dataset[];
  ms: number;
}

export interface MappingResult {
  kilobytes: number;
  /** Segments that came out. */
  segments: number;
  /** Medians, milliseconds. */
  parse: number;
  map: number;
}

const root = resolve(import.meta.dirname, '../..');
const compiled = loadMappings(join(root, 'mappings', 'gp-record'));
const allDatasets = [...compiled.datasets.keys()];
const syntheticBytes = 300 * 1024;

answerRequests<MappingRequest, MappingResult>(({ file, datasets = allDatasets, ms }) => {
  const text = file === undefined ? largeRecord(syntheticBytes) : readFileSync(file, 'utf8');
  const options = {
    datasets,
    profile: 'rsp',
    version: '2.4',
    now: new Date('2026-06-04T10:15:00Z'),
    site: { patientClass: 'O', diagnosisType: 'W' },
  } as const;
  const parse: number[] = [];
  const map: number[] = [];
  let segments = 0;
  const until = performance.now() + ms;
  for (let round = 0; round < 10 || performance.now() < until; round++) {
    const began = performance.now();
    const bundle: unknown = JSON.parse(text);
    const parsed = performance.now();
    const record = mapRecord(compiled, bundle, { ...options, datasets });
    const mapped = performance.now();
    segments = record.datasets.reduce(
      (sum, one) => sum + one.segments.length,
      record.patient.length,
    );
    // The first rounds are compiled while they run.
    if (round < 5) continue;
    parse.push(parsed - began);
    map.push(mapped - parsed);
  }
  return {
    kilobytes: Buffer.byteLength(text) / 1024,
    segments,
    parse: spread(parse).median,
    map: spread(map).median,
  };
});
