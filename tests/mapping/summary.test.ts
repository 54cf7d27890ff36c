/** The summary that opens an answer: derived from it, labelled, and no number where nothing was said. */
import assert from 'node:assert/strict';
import type { MappedRecord } from '../../engine/mapping/mapped.ts';
import { latestOf } from '../../engine/mapping/summary.ts';
import {
  allergy,
  at,
  bundle,
  codes,
  emptyReason,
  list,
  map,
  medication,
  named,
  patient,
  problem,
  warningCode,
} from './records.ts';

const nothing = emptyReason('no-content-recorded');
const asked = ['PAT', 'ALL', 'MED', 'PRB'] as const;

/** `ALL ITEMS 2`, by the status line they stand for. */
const lines = (record: MappedRecord) =>
  record.datasets
    .flatMap(({ segments }) => segments)
    .filter((one) => at(one, 3).startsWith('GPREC.SUMMARY.'))
    .map((one) => [one.fields[4], at(one, 3).slice('GPREC.SUMMARY.'.length), at(one, 5)].join(' '));

const record = bundle(
  patient,
  list(codes.active, ['AllergyIntolerance/a', 'AllergyIntolerance/b']),
  list(codes.ended, ['#old'], { contained: [allergy('old', { clinicalStatus: 'resolved' })] }),
  allergy('a', { onsetDateTime: '2012-07' }),
  allergy('b', { onsetDateTime: '2011-01-13' }),
  list(codes.medication, ['MedicationStatement/m'], {
    extension: [warningCode('data-in-transit')],
  }),
  ...medication('m', 1, { effectivePeriod: { start: '2010-01-13' } }),
  list(codes.problems, [], nothing),
);

describe('mapping: the summary', () => {
  it('counts what the answer carries, and says that it is derived', () => {
    const mapped = map(record, { datasets: asked });
    assert.deepEqual(lines(mapped), [
      'ALL STATUS C',
      'ALL ITEMS 2',
      'ALL LATEST 201207',
      'ALL.ENDED STATUS C',
      'ALL.ENDED ITEMS 1',
      'ALL.ENDED LATEST 2010',
      'MED STATUS W',
      'MED ITEMS 1',
      'MED LATEST 20100113',
      'PRB STATUS E',
      'PRB ITEMS 0',
    ]);
    const [, first, label] = mapped.datasets[0]?.segments ?? [];
    assert.equal(at(first, 3), 'GPREC.SUMMARY.STATUS');
    assert.match(
      String(label?.fields[3]),
      /^Summary made by Gatehouse from what this answer carries/,
    );
    for (const { dataset, items } of mapped.datasets.slice(1)) {
      const counted = lines(mapped).filter((line) =>
        new RegExp(`^${dataset}(\\.\\w+)? ITEMS`).test(line),
      );
      const sum = counted.reduce((total, line) => total + Number(line.split(' ')[2]), 0);
      assert.equal(sum, items, dataset);
    }
  });

  it('gives no number where nothing could be asked', () => {
    assert.deepEqual(lines(map(bundle(patient), { datasets: asked })), [
      'ALL STATUS U',
      'MED STATUS U',
      'PRB STATUS U',
    ]);
    assert.deepEqual(lines(map(undefined, { datasets: ['PAT', 'RSK', 'DIA'] })), [
      'RSK STATUS D',
      'DIA STATUS U',
    ]);
  });

  it('says 0 only where nothing is recorded, never beside a warning', () => {
    const withheld = { extension: [warningCode('confidential-items')], ...nothing };
    const empty = bundle(
      patient,
      list(codes.active, [], withheld),
      list(codes.problems, [], nothing),
    );
    assert.deepEqual(lines(map(empty, { datasets: ['PAT', 'ALL', 'PRB', 'DIA'] })), [
      'ALL STATUS W',
      'ALL.ENDED STATUS U',
      'PRB STATUS E',
      'PRB ITEMS 0',
      'DIA STATUS W',
    ]);
  });

  it('says the whole status, warnings and all', () => {
    const [row] = map(record, { datasets: asked })
      .datasets.flatMap(({ segments }) => segments)
      .filter((one) => at(one, 3) === 'GPREC.SUMMARY.STATUS' && one.fields[4] === 'MED');
    assert.deepEqual(row?.fields[5], [['W', 'data-in-transit', 'L']]);
  });

  it('is part of the patient: without PAT there is none', () => {
    assert.deepEqual(lines(map(record, { datasets: ['ALL', 'MED'] })), []);
  });

  it('is the same in ADR^A19, in rows numbered with all others', () => {
    const mapped = map(record, { datasets: asked, profile: 'a19' });
    assert.deepEqual(lines(mapped), lines(map(record, { datasets: asked })));
    const rows = named(
      [...mapped.patient, ...mapped.datasets.flatMap(({ segments }) => segments)],
      'OBX',
    );
    assert.deepEqual(
      rows.map(({ fields }) => fields[1]),
      rows.map((_, i) => String(i + 1)),
    );
    assert.ok(rows.some((one) => at(one, 5).startsWith('Summary made by Gatehouse')));
  });

  it('takes no partial date for a later one than it says', () => {
    assert.equal(latestOf(['2010', '20100501', '200912']), '20100501');
    assert.equal(latestOf(['2011', '20100501']), '2011');
    assert.equal(latestOf(['20100113113731+0000', '20100113103731+0100']), '20100113113731+0000');
    assert.equal(latestOf([]), undefined);
    const undated = bundle(
      patient,
      list(codes.problems, ['Condition/c']),
      problem('c', { onsetDateTime: 'last spring', assertedDate: undefined }),
    );
    assert.deepEqual(lines(map(undated, { datasets: ['PAT', 'PRB'] })), [
      'PRB STATUS C',
      'PRB ITEMS 1',
    ]);
  });
});
