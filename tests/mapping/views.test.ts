/** Views: labelled, never complete, never the place where an item is answered, with what they repeat. */
import assert from 'node:assert/strict';
import { sources } from '../../engine/gp/gpconnect-areas.ts';
import { type Dataset, datasets } from '../../engine/gp/port.ts';
import type { MapOptions } from '../../engine/mapping/apply.ts';
import type { MappedDataset } from '../../engine/mapping/mapped.ts';
import { sourcesOf } from '../../engine/mapping/view.ts';
import {
  type Json,
  allergy,
  at,
  bundle,
  codes,
  emptyReason,
  list,
  map,
  named,
  patient,
  problem,
  shipped,
  texts,
  warningCode,
} from './records.ts';

const uncategorised = '826501000000100';
const consultations = '1149501000000101';
const nothing = emptyReason('no-content-recorded');
const concept = (code: string, display: string) => ({
  coding: [{ system: 'http://snomed.info/sct', code, display }],
});
const protection = concept('342191000000101', 'Subject to child protection plan');
const appendix = concept('80146002', 'Appendicectomy');
const admission = concept('183452005', 'Emergency hospital admission');
const observation = (id: string, more: Json): Json => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2019-05-17',
  ...more,
});

/** Every list a view may draw on, empty where nothing is given for it. */
function record(items: {
  problems?: Json[];
  allergies?: Json[];
  observations?: Json[];
  encounters?: Json[];
}) {
  const area = (code: string, all: Json[] = []) => {
    const names = all.map(({ resourceType, id }) => `${String(resourceType)}/${String(id)}`);
    return [list(code, names, names.length > 0 ? {} : nothing), ...all];
  };
  return bundle(
    patient,
    ...area(codes.problems, items.problems),
    ...area(codes.active, items.allergies),
    ...area(uncategorised, items.observations),
    ...area(consultations, items.encounters),
  );
}

function view(dataset: Dataset, source: unknown, more: Partial<MapOptions> = {}): MappedDataset {
  const found = map(source, { datasets: [dataset], ...more }).datasets.find(
    (one) => one.dataset === dataset,
  );
  assert.ok(found);
  return found;
}
const statuses = ({ status }: MappedDataset) =>
  status.map(({ status: letter, warning }) => (warning ? `${letter}^${warning}` : letter));
const notes = ({ segments }: MappedDataset) =>
  named(segments, 'NTE').map(({ fields }) => String(fields[3]));
const rows = ({ segments }: MappedDataset, code: string) =>
  segments.filter((one) => at(one, 3) === code).map((one) => at(one, 5));
const views = [...shipped().datasets.values()].filter((one) => one.view);

describe('mapping: views', () => {
  it('are risks, diagnoses, procedures and admissions, and ask for the areas they draw on', () => {
    assert.deepEqual(views.map(({ dataset }) => dataset).sort(), ['ADM', 'DIA', 'PROC', 'RSK']);
    for (const one of views) {
      const areas = new Set(sourcesOf(one).map((source) => source.split('.')[0]));
      assert.deepEqual([...areas].sort(), [...sources[one.dataset]].sort(), one.dataset);
    }
  });

  it('never calls a view complete or empty', () => {
    const full = record({ problems: [problem('c')], allergies: [allergy('a')] });
    for (const { dataset } of views) {
      for (const source of [full, record({}), bundle(patient), bundle()]) {
        const found = view(dataset, source);
        assert.ok(!/[CE]/.test(found.status.map(({ status }) => status).join('')), dataset);
        assert.match(
          notes(found).join('\n'),
          /View made by Gatehouse, not a part of the GP record/,
        );
      }
    }
    assert.deepEqual(statuses(view('DIA', full)), ['W^derived-view']);
  });

  it('says what of its sources could not be asked', () => {
    const withheld = list(codes.problems, ['Condition/c'], {
      extension: [warningCode('confidential-items')],
      note: [{ text: 'Items excluded due to confidentiality and/or patient preferences.' }],
    });
    const found = view('DIA', bundle(patient, withheld, problem('c')));
    assert.deepEqual(statuses(found), ['W^derived-view', 'W^confidential-items']);
    assert.ok(notes(found).includes('Source PRB (Problems): confidential-items'));
    assert.ok(
      notes(found).includes('Items excluded due to confidentiality and/or patient preferences.'),
    );

    const off = {
      resourceType: 'OperationOutcome',
      issue: [
        { diagnostics: 'includeProblems', details: { text: 'includeProblems has been disabled' } },
      ],
    };
    const disabled = bundle(
      patient,
      list(codes.active, [], nothing),
      list(uncategorised, [], nothing),
      off,
    );
    assert.deepEqual(statuses(view('DIA', disabled)), ['D']);
    assert.deepEqual(statuses(view('PROC', disabled)), ['W^derived-view', 'W^source-disabled']);
    assert.ok(notes(view('PROC', disabled)).includes('includeProblems has been disabled'));
    assert.ok(notes(view('PROC', disabled)).includes('Source PRB (Problems): Disabled'));
    assert.deepEqual(statuses(view('DIA', bundle(patient))), ['U']);
    assert.deepEqual(statuses(view('RSK', record({}))), ['D', 'W^derived-view']);
    assert.deepEqual(statuses(view('RSK', bundle(patient))), ['D', 'U']);
    const patientNotes = map(disabled, { datasets: ['DIA'] }).patient.flatMap(texts);
    assert.ok(
      !patientNotes.some((text) => text.includes('disabled')),
      'it is told once, at the view',
    );
  });

  it('is limited where a source is limited', () => {
    const found = view('DIA', record({ problems: [problem('c')] }), {
      limits: { PRB: 'Not all was asked for' },
    });
    assert.deepEqual(statuses(found), ['W^derived-view', 'W^search-limited']);
    assert.ok(notes(found).includes('Not all was asked for'));
  });

  it('names the item each row repeats, and leaves that item where it is', () => {
    const source = record({
      problems: [problem('c', { code: protection })],
      observations: [observation('o', { code: protection }), observation('p', { code: appendix })],
    });
    assert.deepEqual(rows(view('DIA', source), 'GPREC.REPEATS'), ['Condition/c']);
    assert.deepEqual(rows(view('RSK', source), 'GPREC.REPEATS'), ['Condition/c', 'Observation/o']);
    assert.deepEqual(rows(view('PROC', source), 'GPREC.REPEATS'), ['Observation/p']);
    const whole = map(source, { datasets: [...datasets] });
    const observed = whole.datasets.find(({ dataset }) => dataset === 'OBS');
    assert.equal(observed?.items, 2);
    assert.equal(
      named(
        whole.datasets.flatMap(({ segments }) => segments),
        'PRB',
      ).length,
      1,
    );
  });

  it('takes only what a primary list names', () => {
    const stray = observation('o', { code: protection });
    assert.equal(view('RSK', bundle(record({}), stray) as never).items, 0);
    assert.equal(
      view('RSK', { ...record({}), entry: [...(record({}).entry as Json[]), { resource: stray }] })
        .items,
      0,
    );
  });
});

describe('mapping: diagnoses', () => {
  it('repeats each problem as a diagnosis with its status and end', () => {
    const past = problem('c', {
      clinicalStatus: 'inactive',
      abatementDateTime: '2011',
      note: [{ text: 'Left side' }],
    });
    const found = view('DIA', record({ problems: [past] }), { site: { diagnosisType: 'A' } });
    const [dg1] = named(found.segments, 'DG1');
    assert.deepEqual(
      [1, 3, 4, 5, 6].map((field) => at(dg1, field)),
      ['1', '195967001', 'Term c', '201005', 'A'],
    );
    for (const said of [
      'Clinical status stated by the GP system: inactive',
      'Ended: 2011',
      'Left side',
    ]) {
      assert.ok(notes(found).includes(said), said);
    }
  });

  it('has class W unless the site says otherwise', () => {
    const found = view('DIA', record({ problems: [problem('c')] }));
    assert.equal(at(named(found.segments, 'DG1')[0], 6), 'W');
  });

  it('never makes a DG1 of a problem entered in error or refuted', () => {
    for (const verificationStatus of ['entered-in-error', 'refuted']) {
      const source = record({ problems: [problem('c', { verificationStatus })] });
      for (const profile of ['rsp', 'a19'] as const) {
        for (const asked of [['DIA'], ['PRB'], ['PRB', 'DIA']] as const) {
          const mapped = map(source, { datasets: asked, profile }).datasets.flatMap(
            ({ segments }) => segments,
          );
          assert.equal(named(mapped, 'DG1').length, 0, `${profile} ${asked.join()}`);
          assert.ok(mapped.flatMap(texts).some((text) => text.includes(verificationStatus)));
        }
      }
    }
  });

  it('sends no AL1 a second time, and no second DG1 beside that of the problem', () => {
    const source = record({ problems: [problem('c')], allergies: [allergy('a')] });
    for (const profile of ['rsp', 'a19'] as const) {
      const mapped = map(source, { datasets: ['ALL', 'RSK', 'PRB', 'DIA'], profile });
      const all = mapped.datasets.flatMap(({ segments }) => segments);
      assert.equal(named(all, 'AL1').length, 1);
      assert.equal(named(all, 'DG1').length, 1);
      assert.ok(all.some((one) => at(one, 3) === 'GPREC.REPEATS' && at(one, 5) === 'Condition/c'));
    }
    assert.equal(named(view('DIA', source, { profile: 'a19' }).segments, 'DG1').length, 1);
  });
});

describe('mapping: risks and warnings', () => {
  it('says that GP Connect has no area for risks, and that absence means nothing', () => {
    const found = view('RSK', record({}));
    assert.match(
      notes(found)[0] ?? '',
      /^GP Connect has no area for risks, warnings, flags or alerts/,
    );
    assert.ok(
      notes(found).some((text) =>
        text.endsWith('That nothing is shown does not mean that there is no risk.'),
      ),
    );
    assert.equal(found.items, 0);
  });

  it('shows current allergies, and what has a code of the table, with its kind', () => {
    const source = record({
      allergies: [allergy('a')],
      problems: [problem('c', { code: protection }), problem('d')],
      observations: [
        observation('o', { code: concept('450476008', 'Not for CPR') }),
        observation('p', { code: appendix }),
      ],
    });
    const found = view('RSK', source);
    assert.deepEqual(rows(found, 'GPREC.RISK'), ['91936005', '342191000000101', '450476008']);
    assert.deepEqual(rows(found, 'GPREC.RISK.KIND'), [
      'Allergy',
      'Safeguarding: child',
      'Resuscitation',
    ]);
    assert.deepEqual(rows(found, 'GPREC.RISK.DATE'), ['2010', '201005', '20190517']);
  });

  it('never shows an ended allergy as a risk', () => {
    const ended = allergy('old', { clinicalStatus: 'resolved' });
    const source = bundle(
      patient,
      list(codes.active, ['AllergyIntolerance/old', 'AllergyIntolerance/now']),
      list(codes.ended, ['#old'], { contained: [ended] }),
      ended,
      allergy('now'),
    );
    assert.deepEqual(rows(view('RSK', source), 'GPREC.REPEATS'), ['AllergyIntolerance/now']);
  });

  it('keeps the words of an item beside it, for they can turn its meaning round', () => {
    const comment = 'No longer: plan closed';
    const source = record({
      problems: [
        problem('c', { code: protection, clinicalStatus: 'inactive', note: [{ text: comment }] }),
      ],
      observations: [observation('o', { code: protection, comment, status: 'unknown' })],
    });
    const found = view('RSK', source);
    assert.equal(notes(found).filter((text) => text === comment).length, 2);
    assert.ok(notes(found).includes('Clinical status stated by the GP system: inactive'));
    assert.ok(notes(found).includes('Status stated by the GP system: unknown'));
  });

  it('says in every view that an item is qualified, and the value of one whole', () => {
    const modifierExtension = [{ url: 'http://x/not-so', valueBoolean: true }];
    const qualified = 'Qualified by the GP system in a way not carried here: http://x/not-so';
    for (const [dataset, code] of [
      ['RSK', protection],
      ['PROC', appendix],
      ['ADM', admission],
    ] as const) {
      const valueQuantity = { value: 5, comparator: '<', unit: 'days' };
      const source = record({
        problems: [problem('c', { code, modifierExtension })],
        observations: [observation('o', { code, modifierExtension, valueQuantity })],
      });
      const found = view(dataset, source);
      assert.equal(notes(found).filter((text) => text === qualified).length, 2);
      const values = found.segments.filter((one) => at(one, 3).endsWith('.VALUE'));
      assert.deepEqual(
        values.map(({ fields }) => fields[5]),
        [[['value: 5, comparator: <, unit: days']]],
      );
    }
    const source = record({ problems: [problem('c', { modifierExtension })] });
    assert.ok(notes(view('DIA', source)).includes(qualified));
  });
});

describe('mapping: procedures and admissions', () => {
  it('give PR1 for a dated procedure, and an OBX alone for one without a date or in error', () => {
    const source = record({
      observations: [
        observation('o', { code: appendix }),
        observation('u', { code: appendix, effectiveDateTime: undefined }),
        observation('e', { code: appendix, status: 'entered-in-error' }),
      ],
      problems: [problem('c', { code: appendix })],
    });
    const found = view('PROC', source);
    const dated = named(found.segments, 'PR1');
    assert.deepEqual(
      dated.map((one) => [1, 3, 4, 5].map((field) => at(one, field))),
      [
        ['1', '80146002', 'Appendicectomy', '20190517'],
        ['2', '80146002', 'Appendicectomy', '201005'],
      ],
    );
    assert.equal(rows(found, 'GPREC.PROCEDURE').length, 2);
    assert.equal(found.items, 4);
    assert.match(notes(found).join('\n'), /not complete/);
  });

  it('give each admission with its date, from observations, problems and encounters', () => {
    const encounter: Json = {
      resourceType: 'Encounter',
      id: 'n',
      status: 'finished',
      type: [admission],
      subject: { reference: 'Patient/p1' },
      period: { start: '2020-02-01' },
    };
    const source = record({
      observations: [observation('o', { code: admission })],
      problems: [problem('c', { code: admission }), problem('d')],
      encounters: [encounter],
    });
    const found = view('ADM', source);
    assert.deepEqual(rows(found, 'GPREC.ADMISSION').length, 3);
    assert.deepEqual(
      rows(found, 'GPREC.ADMISSION.DATE').sort(),
      ['20190517', '201005', '20200201'].sort(),
    );
    assert.deepEqual(rows(found, 'GPREC.REPEATS').sort(), [
      'Condition/c',
      'Encounter/n',
      'Observation/o',
    ]);
    assert.equal(named(found.segments, 'PV1').length, 0);
  });
});
