/** Reports: groups, results, specimens and filing comments, each where HL7 looks for it. */
import assert from 'node:assert/strict';
import { type Json, at, named, texts } from './records.ts';
import {
  answer,
  comment,
  derivedFrom,
  hasMember,
  notesUnder,
  observation,
  observed,
  ref,
  report,
  shown,
  shownIds,
  snomed,
} from './trees.ts';

const quantity = (value: number | string, unit?: string, more: Json = {}): Json => ({
  valueQuantity: { value, unit, ...more },
});
const specimen = (id: string, more: Json = {}): Json => ({
  resourceType: 'Specimen',
  id,
  type: { text: 'SERUM' },
  collection: { collectedDateTime: '2003-06-16T00:00:00+01:00' },
  receivedTime: '2003-06-17T14:21:00+01:00',
  accessionIdentifier: { value: `ACC-${id}` },
  ...more,
});
const order: Json = {
  resourceType: 'ProcedureRequest',
  id: 'q',
  status: 'active',
  intent: 'order',
  code: snomed('26604007', 'FBC'),
  requester: { agent: ref('PractitionerRole/r') },
};
const role: Json = {
  resourceType: 'PractitionerRole',
  id: 'r',
  practitioner: ref('Practitioner/1'),
};
const person: Json = {
  resourceType: 'Practitioner',
  id: '1',
  name: [{ family: 'Reed', prefix: ['Dr'] }],
};
const laboratory: Json = { resourceType: 'Organization', id: 'l', name: 'Fen Laboratory' };

const whole = [
  report('r', ['own', 'g', 'note', 'c-own'], {
    identifier: [
      { system: 'urn:x', value: 'business' },
      { system: 'urn:oid:2.16.840.1.113883.2.1.4.5.5', value: 'PMIP7' },
    ],
    category: { coding: [{ code: 'PAT', display: 'Pathology' }] },
    specimen: [ref('Specimen/s')],
    basedOn: [ref('ProcedureRequest/q')],
    performer: [{ actor: ref('Organization/l') }, { actor: ref('Practitioner/1') }],
    conclusion: 'All well',
  }),
  observation('g', { related: hasMember('m1', 'm2'), comment: 'About the group' }),
  observation('m1', { ...quantity(79, 'g/L'), related: derivedFrom('g') }),
  observation('m2', { ...quantity(35, 'g/L'), related: derivedFrom('g') }),
  observation('own', { ...quantity('1.10', 'mmol/L') }),
  comment('note', 'Seen: no action', { performer: [ref('Practitioner/1')] }),
  comment('c-own', 'Repeat in a week', { related: derivedFrom('own') }),
  specimen('s'),
  order,
  role,
  person,
  laboratory,
];

describe('mapping: investigations', () => {
  it('give a report its OBR, each group one below it, and each result to the OBR above it', () => {
    const segments = shown(answer('INV', ['r'], whole));
    const order = segments.flatMap((one) => {
      if (one.name === 'OBR') return `OBR ${at(one, 2)}${at(one, 29) && ` of ${at(one, 29)}`}`;
      const code = at(one, 3);
      return one.name === 'OBX' && !code.startsWith('GPREC.') ? at(one, 3, 2) : [];
    });
    assert.deepEqual(order, ['OBR r', 'Term own', 'OBR g of r', 'Term m1', 'Term m2']);
    let above = '';
    let last = 0;
    for (const one of segments) {
      if (one.name === 'OBR') [above, last] = [at(one, 2), 0];
      if (one.name === 'OBX') assert.equal(one.fields[1], String(++last), `under ${above}`);
    }
    assert.deepEqual(
      named(segments, 'OBX')
        .filter((one) => at(one, 3, 2).startsWith('Term'))
        .map((one) => at(one, 4)),
      ['1.3', '1.4.1', '1.4.2'],
    );
  });

  it('fill OBR with who asked, when it was taken and reported, and the number of the laboratory', () => {
    const [obr] = named(shown(answer('INV', ['r'], whole)), 'OBR');
    const expected = { 3: 'PMIP7', 7: '20030616', 14: '20030617142100+0100', 24: 'LAB', 25: 'F' };
    for (const [field, value] of Object.entries(expected))
      assert.equal(at(obr, Number(field)), value);
    assert.equal(at(obr, 16, 2), 'Reed');
    assert.equal(at(obr, 22), '20110305100000+0000');
    assert.deepEqual(obr?.fields[15], [[[undefined, 'SERUM']]]);
  });

  it('put what the practice wrote on filing under what it is about', () => {
    const segments = shown(answer('INV', ['r'], whole));
    assert.deepEqual(notesUnder(segments, 'Term own').slice(0, 1), ['Repeat in a week']);
    const onReport = notesUnder(segments, 'Diagnostic studies report');
    for (const words of ['All well', 'Seen: no action', 'The note above was written by: Dr Reed'])
      assert.ok(onReport.includes(words), words);
    assert.ok(!onReport.includes('Repeat in a week'));
    assert.ok(notesUnder(segments, 'Term g').includes('About the group'));
  });

  it('show specimens as OBX, and as SPM from v2.5 on; what one says the other does, too', () => {
    const [before, after] = (['2.4', '2.5.1'] as const).map((version) =>
      shown(answer('INV', ['r'], whole, { version })),
    );
    assert.deepEqual(named(before ?? [], 'SPM'), []);
    const [spm] = named(after ?? [], 'SPM');
    assert.deepEqual([at(spm, 2), at(spm, 2, 2), at(spm, 4, 2)], ['s', 'ACC-s', 'SERUM']);
    assert.deepEqual([at(spm, 17), at(spm, 18)], ['20030616', '20030617142100+0100']);
    assert.equal(named(after ?? [], 'OBR')[0]?.fields[15], undefined, 'SPM took its place');
    for (const [code, value] of [
      ['GPREC.SPECIMEN', 'SERUM'],
      ['GPREC.ACCESSION', 'ACC-s'],
      ['GPREC.COLLECTED', '20030616'],
      ['GPREC.RECEIVED', '20030617142100+0100'],
    ] as const)
      assert.ok(texts(observed(before ?? [], code) ?? { name: '', fields: [] }).includes(value));
  });

  it('say which specimen a result is of where the report has several', () => {
    const two = answer(
      'INV',
      ['r'],
      [
        report('r', ['a'], { specimen: [ref('Specimen/s'), ref('Specimen/t')] }),
        observation('a', { specimen: ref('Specimen/t') }),
        specimen('s'),
        specimen('t'),
      ],
    );
    assert.equal(at(observed(shown(two), 'GPREC.OFSPECIMEN'), 5), 'Specimen/t');
    assert.equal(shownIds(two).filter((id) => id === 's' || id === 't').length, 2);
    const one = answer('INV', ['r'], whole);
    assert.equal(observed(shown(one), 'GPREC.OFSPECIMEN'), undefined);
  });

  it('never put a result that no report holds below the OBR of a report', () => {
    const segments = shown(
      answer('INV', ['r', 'Observation/alone'], [...whole, observation('alone', quantity(7))]),
    );
    const place = segments.findIndex((one) => at(one, 3, 2) === 'Term alone');
    assert.ok(place >= 0 && place < segments.findIndex(({ name }) => name === 'OBR'));
  });

  it('cope with no specimen, no results, no code, and results that refer back alone', () => {
    const bare = answer('INV', ['r'], [report('r', [], { code: undefined })]);
    assert.deepEqual(at(named(shown(bare), 'OBR')[0], 4), 'GPREC.NOCODE');
    const back = answer(
      'INV',
      ['r'],
      [
        report('r', ['h']),
        observation('h', { code: { text: 'Header' } }),
        observation('x', { code: undefined, related: derivedFrom('h'), ...quantity(1) }),
      ],
    );
    assert.deepEqual(shownIds(back), ['h', 'x']);
    const nameless = shown(back).find((one) => at(one, 3) === 'GPREC.NOCODE');
    assert.deepEqual([at(nameless, 4), at(nameless, 5)], ['1.1.1', '1']);
  });
});
