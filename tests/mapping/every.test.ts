/**
 * Laws of the answer over generated records of every dataset, held against the message as it is on
 * the wire: what is read here is read by other code than the engine's.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { datasets } from '../../engine/gp/port.ts';
import { standardDelimiters } from '../../engine/hl7/delimiters.ts';
import { encodeMessage } from '../../engine/hl7/encode.ts';
import type { MappedRecord, MappedSegment } from '../../engine/mapping/mapped.ts';
import { root } from '../world.ts';
import { type Generated, dates, record } from './generated.ts';
import { type Json, map, now, segmentsOf, shipped } from './records.ts';

const site = { unknownStatus: 'F' } as const;
const answerTo = ({ bundle }: Generated) => map(bundle, { datasets, site });

/** A message as it is sent, taken apart again: the texts of each segment, by field. */
function onTheWire(segments: readonly MappedSegment[]): { name: string; fields: string[][] }[] {
  const msh = { name: 'MSH', fields: [undefined, undefined, undefined, 'GPREC'] };
  const { bytes } = encodeMessage([msh, ...segments], {
    delimiters: standardDelimiters,
    charset: 'UNICODE UTF-8',
  });
  const lines = bytes.toString('utf8').split('\r').slice(1, -1);
  return lines.map((line) => {
    const [name = '', ...fields] = line.split('|');
    return { name, fields: fields.map((field) => field.split(/[~^&]/).map(plain)) };
  });
}

const letters: Readonly<Record<string, string>> = { F: '|', S: '^', T: '&', R: '~', E: '\\' };
const plain = (text: string) =>
  text.replace(/\\(?:([FSTRE])|X([0-9A-F]{2})|\.br)\\/g, (_all, letter?: string, hex?: string) =>
    letter ? (letters[letter] ?? '') : hex ? String.fromCharCode(parseInt(hex, 16)) : '\n',
  );

const textsOf = (segments: readonly MappedSegment[]) =>
  onTheWire(segments).flatMap(({ fields }) => fields.flat());

/** Every text in a value. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(strings);
}
const token = /w(\d{6})w/;
const tokenOf = ({ identifier }: Json) =>
  token.exec(String((identifier as Json[] | undefined)?.[0]?.value))?.[0] ?? 'none';

const resourcesOf = ({ bundle }: Generated) =>
  (bundle.entry as { resource: Json }[]).map(({ resource }) => resource);

/** The clinical items of the datasets that answer by themselves. */
function itemsOf(answer: MappedRecord): MappedSegment[][] {
  const own = answer.datasets.filter(({ dataset }) => !shipped().datasets.get(dataset)?.view);
  return own.flatMap(({ groups }) => groups.flatMap(({ items }) => items));
}

/** `1955-06-07T08:09:10.25Z` as `19550607080910.25+0000`. */
const hl7 = (date: string) => {
  const [day = '', time = ''] = date.replace('Z', '+00:00').split('T');
  const [, clock = '', rest = ''] = /^([\d:]*)(.*)$/.exec(time) ?? [];
  return day.replaceAll('-', '') + clock.replaceAll(':', '') + rest.replace(':', '');
};

/** Letters and digits that stand together. */
const words = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? [];
/** All that the mapping itself may say: its rules, its tables and the code that reads them. */
const own = new Set(
  ['mappings/gp-record', 'mappings/tables', 'engine/mapping'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /\.(yaml|csv|ts)$/.test(name))
      .flatMap((name) => words(readFileSync(join(root, folder, name), 'utf8'))),
  ),
);

const holds = (law: (one: Generated, answer: MappedRecord) => void) => () => {
  fc.assert(
    fc.property(record, (one) => law(one, answerTo(one))),
    { numRuns: 15 },
  );
};

describe('mapping: laws of every dataset', () => {
  it(
    'each resource of a primary list is one item, or part of one, exactly once',
    holds((one, answer) => {
      const items = itemsOf(answer).map((item) => textsOf(item).join('\n'));
      for (const resource of one.answers) {
        const found = items.filter((text) => text.includes(tokenOf(resource)));
        assert.equal(found.length, 1, `${String(resource.resourceType)} ${String(resource.id)}`);
      }
    }),
  );

  it(
    'what only a secondary list names is shown nowhere',
    holds((one, answer) => {
      const all = textsOf(segmentsOf(answer)).join('\n');
      for (const text of one.context.flatMap(strings)) {
        const [found] = token.exec(text) ?? [];
        if (found) assert.ok(!all.includes(found), text);
      }
    }),
  );

  it(
    'every other text survives, byte for byte: codes, terms, notes, dosages, titles, names',
    holds((one, answer) => {
      const all = textsOf(segmentsOf(answer));
      const listed = new Set(one.answers.map(tokenOf));
      for (const resource of resourcesOf(one)) {
        if (one.context.includes(resource) || resource.resourceType === 'Practitioner') continue;
        // A drug, a plan, a result hang on what is listed; of what is listed everything must be there.
        if (listed.size === 0) continue;
        for (const text of strings(resource).filter((text) => token.test(text))) {
          assert.ok(
            all.some((shown) => shown.includes(text)),
            `${String(resource.resourceType)} lost ${JSON.stringify(text)}`,
          );
        }
      }
    }),
  );

  it(
    'no word and no number stands in an item that is neither in the source nor in the mapping',
    holds((one, answer) => {
      const source = resourcesOf(one).flatMap((resource) => [
        ...strings(resource),
        ...numbers(resource),
      ]);
      // A field that holds a day alone leaves the time to a note.
      const days = dates.map((date) => hl7(date.slice(0, 10)));
      // PRB-2 is the time of the answer where the GP states none; the profile says so.
      const asked = hl7(now.toISOString().replace(/\.\d+/, ''));
      const known = new Set([...source, ...days, ...source.map(hl7), asked].flatMap(words));
      for (const { name, fields } of onTheWire(itemsOf(answer).flat())) {
        for (const [i, texts] of fields.entries()) {
          // Set ids, and where in its tree a line stands.
          if (i === 0 || (name === 'OBX' && i === 3)) continue;
          for (const word of texts.flatMap(words)) {
            assert.ok(known.has(word) || own.has(word), `${name}-${i + 1}: ${word}`);
          }
        }
      }
    }),
  );

  it(
    'a date is as exact as its source, with the offset it was stated with',
    holds((one, answer) => {
      const items = itemsOf(answer).map((item) => textsOf(item));
      for (const resource of one.answers) {
        const texts =
          items.find((all) => all.some((text) => text.includes(tokenOf(resource)))) ?? [];
        for (const date of strings(resource).filter((text) => dates.some((one) => one === text))) {
          const shown = texts.some((text) => text === hl7(date) || text.endsWith(`: ${hl7(date)}`));
          assert.ok(
            shown || texts.some((text) => text.endsWith(` ${date}`)),
            `${String(resource.resourceType)} ${date}`,
          );
        }
      }
    }),
  );

  it(
    'a dosage is text and never an amount',
    holds((_one, answer) => {
      for (const { name, fields } of onTheWire(segmentsOf(answer))) {
        assert.doesNotMatch(name, /^RX[DEG]$/);
        if (name !== 'RXO') continue;
        for (const field of [2, 3, 4]) assert.equal(fields[field - 1]?.join('') ?? '', '');
      }
    }),
  );

  it(
    'an allergy that has ended is never AL1, wherever it stands',
    holds((one, answer) => {
      const ended = one.answers.filter(({ clinicalStatus }) => clinicalStatus === 'resolved');
      const current = segmentsOf(answer).filter(({ name }) => name === 'AL1');
      for (const { id } of ended) {
        assert.ok(current.every(({ from }) => from !== `AllergyIntolerance/${String(id)}`));
      }
      assert.equal(
        current.length,
        one.answers.filter(({ resourceType }) => resourceType === 'AllergyIntolerance').length -
          ended.length,
      );
    }),
  );

  it(
    'every warning and note of a primary list survives',
    holds((one, answer) => {
      const all = textsOf(segmentsOf(answer));
      for (const list of resourcesOf(one)) {
        if (list.resourceType !== 'List') continue;
        const { note, extension } = list as { note?: Json[]; extension?: Json[] };
        for (const { text } of note ?? []) assert.ok(all.includes(String(text)));
        for (const { valueCode } of extension ?? []) assert.ok(all.includes(String(valueCode)));
      }
    }),
  );
});

/** Every number in a value, as text. */
function numbers(value: unknown): string[] {
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbers);
}
