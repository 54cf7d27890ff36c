import assert from 'node:assert/strict';
import fc from 'fast-check';
import { definitions, versions } from '../../engine/hl7/definitions/definitions.ts';
import { parseStructure } from '../../engine/hl7/definitions/notation.ts';
import type { Structure, StructureNode } from '../../engine/hl7/definitions/notation.ts';
import { matchStructure } from '../../engine/hl7/structure.ts';
import { describes, structures, wordsOfNames } from './arbitrary.ts';

function words(text: string): string[] {
  return text.split(' ').filter(Boolean);
}

function structureOf(notation: string): Structure {
  return parseStructure('X', notation);
}

describe('walking a message structure', () => {
  it('accepts exactly what the structure describes', () => {
    fc.assert(
      fc.property(structures, wordsOfNames, (structure, word) => {
        assert.equal(matchStructure(structure, word).length === 0, describes(structure, word));
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts a message grown from any structure of the standard, with Z-segments put in', () => {
    const grow = (node: StructureNode, more: () => boolean): string[] => {
      const grown: string[] = [];
      for (let count = 0; count < node.min || (more() && (count === 0 || node.repeats)); count++) {
        if (node.kind === 'segment') grown.push(node.name);
        else if (node.kind === 'group') grown.push(...node.items.flatMap((i) => grow(i, more)));
        else grown.push(...grow(node.items[more() ? 0 : node.items.length - 1] ?? node, more));
        if (more()) grown.push('ZZZ');
      }
      return grown;
    };
    const events = ['ADT_A01', 'ADT_A17', 'ADR_A19', 'ORU_R01', 'ORM_O01', 'OML_O21', 'SIU_S12'];
    fc.assert(
      fc.property(
        fc.constantFrom(...versions),
        fc.constantFrom(...events),
        fc.infiniteStream(fc.constantFrom(true, false, false)),
        (version, id, coins) => {
          const structure = definitions(version).structure(id);
          fc.pre(structure !== undefined);
          const more = (): boolean => coins.next().value === true;
          const message = structure.items.flatMap((item) => grow(item, more));
          assert.deepEqual(matchStructure(structure, message), []);
        },
      ),
    );
  });

  it('does not guess where HL7 is ambiguous', () => {
    const oru = definitions('2.4').structure('ORU_R01');
    assert.ok(oru);
    const message = words('MSH PID NTE OBR NTE NTE OBX NTE OBX OBX NTE ORC OBR OBX PID OBR NTE');
    assert.deepEqual(matchStructure(oru, message), []);
  });

  it('names a missing segment, its group and what stands after the gap', () => {
    const oru = definitions('2.5.1').structure('ORU_R01');
    assert.ok(oru);
    const [only, ...rest] = matchStructure(oru, words('MSH PID ORC OBR OBX ORC OBX NTE'));
    assert.deepEqual(rest, []);
    assert.equal(only?.kind, 'missing');
    assert.equal(only.segment, 'OBR');
    assert.equal(only.occurrence, 2);
    assert.equal(only.index, 6);
    assert.equal(only.after, 'ORC');
    assert.equal(only.group, 'PATIENT_RESULT.ORDER_OBSERVATION');
  });

  it('names what is missing at the end', () => {
    const adt = definitions('2.4').structure('ADT_A01');
    assert.ok(adt);
    const found = matchStructure(adt, words('MSH EVN PID PD1'));
    assert.deepEqual(
      found.map(({ kind, segment, index }) => [kind, segment, index]),
      [['missing', 'PV1', 4]],
    );
  });

  it('tells a late segment from a missing one, and goes on after it', () => {
    const adt = definitions('2.4').structure('ADT_A01');
    assert.ok(adt);
    const found = matchStructure(adt, words('MSH EVN PID PV1 NK1 NK1 PV2 OBX PRB AL1'));
    assert.deepEqual(
      found.map(({ kind, segment, occurrence }) => [kind, segment, occurrence]),
      [
        ['misplaced', 'NK1', 1],
        ['unexpected', 'PRB', 1],
      ],
    );
    assert.deepEqual(found[0]?.expected.slice(0, 3), ['PV2', 'ROL', 'DB1']);
  });

  it('takes an early segment as a stray when the rest fits without it', () => {
    const found = matchStructure(
      structureOf('MSH EVN PID PV1 [{OBX}]'),
      words('MSH OBX EVN PID PV1'),
    );
    assert.deepEqual(
      found.map(({ kind, segment }) => [kind, segment]),
      [['misplaced', 'OBX']],
    );
  });

  it('walks a very long message', () => {
    const oru = definitions('2.4').structure('ORU_R01');
    assert.ok(oru);
    const long = ['MSH', 'PID', 'OBR', ...Array.from({ length: 200_000 }, () => 'OBX')];
    assert.deepEqual(matchStructure(oru, long), []);
    const wrong = long.flatMap((name, index) => [name, index % 2 ? 'AL1' : 'DG1']);
    assert.equal(matchStructure(oru, wrong).length, 50);
    assert.equal(matchStructure(oru, wrong, Infinity).length, long.length);
  });
});
