/** Each form of a push, in each version: it is what HL7 lays down, and it says what the record says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { FaultError } from '../../engine/faults.ts';
import type { Dataset } from '../../engine/gp/port.ts';
import { pushStructures } from '../../engine/hl7/definitions/profile.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';
import { contentVersion } from '../../engine/hl7/version.ts';
import type { MappedRecord } from '../../engine/mapping/mapped.ts';
import { type PushForm, pushForms } from '../../engine/push/forms.ts';
import { type Composing, compose } from '../../engine/push/message.ts';
import { isSent, sentFields } from '../docs/segments-page.ts';
import { record } from '../mapping/generated.ts';
import { type Json, map, now, realBundles, segmentsOf } from '../mapping/records.ts';
import { patients } from '../world.ts';

const versions = ['2.3', '2.3.1', '2.4', '2.5', '2.5.1'];
const site = { unknownStatus: 'F' } as const;
const bundleOf = (nhsNumber: string): unknown =>
  JSON.parse(readFileSync(join(patients, `${nhsNumber}.json`), 'utf8'));
const adt = parseMessage(
  Buffer.from(
    'MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||ADT^A01^ADT_A01|ADT-1|P|2.4|||||GBR|UNICODE UTF-8|EN\r',
  ),
);
const orders = {
  timing: 'As stated in RXE-7',
  code: 'NS^Not stated^L',
  amount: '0',
  units: 'NS^Not stated^L',
  route: 'NS^Not stated^L',
};

interface Pushed {
  record: MappedRecord;
  message?: Message;
}

function push(
  bundle: unknown,
  form: PushForm,
  version = '2.4',
  more: Partial<Composing> & { datasets?: readonly Dataset[] } = {},
): Pushed {
  const { datasets = form.offers, ...told } = more;
  const { profile } = form;
  const mapped = map(bundle, { datasets, profile, site, version: contentVersion(version) });
  const bytes = compose({
    ...{ message: adt, form, version, record: mapped, cautions: [], now, orders },
    ...{ us: { application: 'GPREC', facility: 'RECGW' }, controlId: 'HJ5POXU0W1P' },
    ...{ patientClass: 'O', document: { type: 'GPREC', as: 'FT' } },
    ...told,
  });
  return { record: mapped, message: bytes && parseMessage(bytes) };
}

const formNamed = (type: string): PushForm => {
  const found = pushForms.find((form) => form.type === type);
  assert.ok(found);
  return found;
};

/** A message as one text, in lower case and unescaped, for looking words up in it. */
function wordsOf(message: Message): string {
  const text = message.toBytes().toString('utf8');
  const letters: Record<string, string> = { F: '|', S: '^', T: '&', R: '~', E: '\\' };
  return plain(
    text.replace(/\\(?:([FSTRE])|X([0-9A-F]{2})|\.br)\\/g, (_all, letter?: string, hex?: string) =>
      letter ? (letters[letter] ?? '') : hex ? String.fromCharCode(parseInt(hex, 16)) : '\n',
    ),
  );
}

const plain = (text: string) => text.toLowerCase().replace(/\s+/g, ' ');

/** Every text of some length that RSP_K11 carries of the same record. */
function textsOf(bundle: unknown, datasets: readonly Dataset[]): Set<string> {
  const leaves = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : Array.isArray(value) ? value.flatMap(leaves) : [];
  const { patient, ...rest } = map(bundle, { datasets, site });
  const segments = [...patient, ...segmentsOf({ ...rest, patient: [] })];
  const all = segments.flatMap(({ fields }) => leaves(fields));
  // Our own codes are for machines: a document has their names alone.
  const told = all.filter((text) => /\p{L}{4}/u.test(text) && !text.startsWith('GPREC.'));
  return new Set(told.map(plain));
}

describe('the forms of a push', () => {
  for (const form of pushForms) {
    for (const version of versions) {
      it(`${form.type} in ${version} is as HL7 and our profile have it`, () => {
        for (const nhsNumber of ['9465701459', '9990000018', '9990000026']) {
          const { message } = push(bundleOf(nhsNumber), form, version);
          if (!message) continue;
          const structure = pushStructures[message.get('MSH-9.3') as keyof typeof pushStructures];
          const own = structure ? validateMessage(message, { structure }) : [];
          const found = [...validateMessage(message), ...own].map(({ says }) => says);
          const declared =
            /^(PD1-3|ORC-21|OBX-5|PRD-7)\.3 .* is not a number|^PID-5 .* repeats; in version 2\.3/;
          assert.deepEqual(
            found.filter((says) => !declared.test(says)),
            [],
          );
          assert.equal(message.get('MSH-12'), version);
        }
      });
    }

    it(`${form.type} says all that RSP_K11 says of the same datasets`, () => {
      const bundle = bundleOf('9465701459');
      const { message } = push(bundle, form);
      assert.ok(message);
      const words = wordsOf(message);
      const lost = [...textsOf(bundle, form.offers)].filter((text) => !words.includes(text));
      assert.deepEqual(lost, []);
    });
  }

  it('have no field that docs/reference/segments.md does not name in their version', () => {
    const sent = sentFields();
    const strange = new Set<string>();
    for (const nhsNumber of ['9465701459', '9990000018', '9990000026']) {
      for (const form of pushForms) {
        for (const version of versions) {
          const { message } = push(bundleOf(nhsNumber), form, version, { cautions: ['deceased'] });
          for (const place of message ? placesIn(message) : []) {
            const [segment = '', field] = place.split('-');
            const known = isSent(sent, segment, Number(field), contentVersion(version));
            if (!known) strange.add(`${form.type} ${version} ${place}`);
          }
        }
      }
    }
    assert.deepEqual([...strange], []);
  });

  it('carry every word of generated records', () => {
    const token = /w\d{6}w/gi;
    fc.assert(
      fc.property(record, fc.constantFrom(...pushForms), ({ bundle }, form: PushForm) => {
        let pushed: Pushed;
        try {
          pushed = push(bundle, form);
        } catch (error) {
          assert.ok(error instanceof FaultError && error.fault.name === 'formLacksPlace');
          return;
        }
        const words = pushed.message ? wordsOf(pushed.message) : '';
        const datasets = form.offers;
        for (const text of pushed.message ? textsOf(bundle, datasets) : []) {
          for (const [word] of text.matchAll(token)) assert.ok(words.includes(word), word);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('carry every word of published records', function () {
    this.timeout(20_000);
    const [first] = realBundles(this).filter(({ bundle }) => (bundle as Json).entry !== undefined);
    assert.ok(first);
    for (const form of pushForms) {
      const { message } = push(first.bundle, form);
      if (!message) continue;
      const words = wordsOf(message);
      const lost: string[] = [...textsOf(first.bundle, form.offers)].filter(
        (text) => !words.includes(text),
      );
      assert.deepEqual(lost, [], form.type);
    }
  });

  it('name each data status, whatever it is', () => {
    const silent = { resourceType: 'Bundle', type: 'collection', entry: patientOnly() };
    for (const form of pushForms.filter(({ type }) => type !== 'RDE^O11')) {
      const { message, record: mapped } = push(silent, form);
      assert.ok(message);
      const words = wordsOf(message);
      const silences = mapped.datasets.flatMap(({ status }) => status.map((one) => one.status));
      assert.ok(silences.includes('U'));
      assert.match(words, /unavailable/);
    }
  });

  it('state no order that the record does not have', () => {
    const rde = formNamed('RDE^O11');
    const empty = { resourceType: 'Bundle', type: 'collection', entry: patientOnly() };
    assert.throws(
      () => push(empty, rde),
      (error) => error instanceof FaultError && error.fault.name === 'formLacksPlace',
    );
    const nothing = bundleWith({
      resourceType: 'List',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '933361000000108' }] },
      note: [{ text: 'Information not available' }],
      emptyReason: { coding: [{ code: 'no-content-recorded' }] },
    });
    const { message, record: mapped } = push(nothing, rde);
    assert.deepEqual(mapped.datasets[0]?.status, [{ status: 'E' }]);
    assert.equal(message, undefined);
  });
});

describe('an order of a push', () => {
  const rde = formNamed('RDE^O11');
  const bundle = bundleOf('9465701459');

  it('has no amount, unit or route but those of the site, and says so', () => {
    const told = { ...orders, amount: '77', units: 'XX^See text^L', route: 'YY^See text^L' };
    const { message } = push(bundle, rde, '2.4', { orders: told });
    assert.ok(message);
    const count = message.count('RXE');
    assert.ok(count > 5);
    assert.equal(message.count('ORC'), count);
    for (let n = 1; n <= count; n++) {
      assert.equal(message.get(`RXE[${n}]-3`), '77');
      assert.equal(message.get(`RXE[${n}]-4`), undefined);
      assert.equal(message.raw(`RXE[${n}]-5`), 'XX^See text^L');
      assert.equal(message.raw(`RXR[${n}]-1`), 'YY^See text^L');
      assert.equal(message.get(`RXE[${n}]-25`), undefined);
      // The dose is what the GP wrote, and stands in the fields for text alone.
      assert.equal(message.get(`RXE[${n}]-1.1`), undefined);
      assert.equal(message.get(`RXE[${n}]-7.2`), message.get(`RXE[${n}]-1.8`));
    }
    assert.ok((message.get('RXE[1]-7.2') ?? '').length > 0);
    const rows = message.toBytes().toString().split('\r');
    assert.equal(rows.filter((row) => row.includes('GPREC.SITERULE')).length, count);
  });

  it('states its timing in TQ1 from 2.5 on', () => {
    const { message } = push(bundle, rde, '2.5.1');
    assert.ok(message);
    assert.equal(message.count('TQ1'), message.count('RXE'));
    assert.equal(message.get('RXE[1]-1'), undefined);
    assert.equal(message.get('TQ1[1]-11'), message.get('RXE[1]-7.2'));
  });
});

describe('a document of a push', () => {
  const mdm = formNamed('MDM^T02');
  const bundle = bundleOf('9465701459');

  it('is given line by line, a part at a time, or as a file', () => {
    const given = (as: 'TX' | 'FT' | 'ED') => {
      const document = { type: 'GP', as };
      const { message } = push(bundle, mdm, '2.4', { document, datasets: ['ALL'] });
      assert.ok(message);
      return message;
    };
    const [lines, parts, file] = [given('TX'), given('FT'), given('ED')];
    assert.equal(parts.count('OBX'), 3);
    assert.equal(file.count('OBX'), 1);
    assert.equal(file.raw('OBX-5.4'), 'Base64');
    const text = Buffer.from(file.get('OBX-5.5') ?? '', 'base64').toString('utf8');
    assert.match(text, /^GP RECORD\nPatient: Mr Morris NEL/);
    assert.match(text, /\n\nENDED ALLERGIES \(ALL\.ENDED\)\nData status: Complete\n/);
    assert.match(text, /\n1 {3}Allergy number: 1\n {4}Allergy type: DA\n/);
    const read = (message: Message) =>
      Array.from({ length: message.count('OBX') }, (_, i) => message.get(`OBX[${i + 1}]-5`) ?? '');
    const filled = (all: string) => all.split('\n').filter((line) => line !== '');
    assert.deepEqual(read(lines), filled(text));
    assert.deepEqual(filled(read(parts).join('\n')), filled(text));
  });

  it('has what cannot be written as text behind it', () => {
    const document = { ...mdm, offers: ['ALL'] as const };
    const { record: mapped } = push(bundle, document);
    const item = mapped.datasets[0]?.groups[0]?.items[0];
    const fields = [
      ...[undefined, '9', 'ED', [['GPREC.DOCUMENT', 'Document', 'L']], 'ALL.1'],
      [[undefined, 'AP', 'pdf', 'Base64', 'JVBERi0=']],
    ];
    item?.push({ name: 'OBX', fields });
    const { message } = push(bundle, document, '2.4', { record: mapped });
    const last = `OBX[${message?.count('OBX')}]`;
    assert.equal(message?.get(`${last}-5.5`), 'JVBERi0=');
    assert.match(wordsOf(message as Message), /document: attached/);
  });
});

/** The fields of a message that hold something: `PID-3`. */
function placesIn(message: Message): Set<string> {
  const places = new Set<string>();
  const counts: Record<string, number> = {};
  for (const name of message.segmentNames()) {
    const at = `${name}[${(counts[name] = (counts[name] ?? 0) + 1)}]`;
    for (let field = 1; field <= message.fields(at); field++) {
      if (message.raw(`${at}-${field}`)) places.add(`${name}-${field}`);
    }
  }
  return places;
}

const patientOnly = () => [
  {
    resource: {
      resourceType: 'Patient',
      id: '1',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9465701459' }],
    },
  },
];

const bundleWith = (resource: Json) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: [...patientOnly(), { resource }],
});
