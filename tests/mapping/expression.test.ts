/** The compiled expressions mean what FHIRPath means: held equal to the `fhirpath` package. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compilePath, compileWithPackage } from '../../engine/mapping/condition.ts';
import { type Values, extensionName } from '../../engine/mapping/evaluate.ts';
import { parseExpression } from '../../engine/mapping/expression.ts';
import { realBundles } from './records.ts';

/** What an evaluation gave, or that it refused. */
function outcome(evaluate: () => Values): unknown {
  try {
    return JSON.parse(JSON.stringify(evaluate()));
  } catch {
    return 'refused';
  }
}

function bothWays(source: string, resource: unknown, variables: Record<string, Values> = {}) {
  const compiled = compilePath(source, 'test', Object.keys(variables));
  assert.ok(compiled.expression, `${source} was expected to be compiled`);
  const reference = compileWithPackage(source, Object.keys(variables));
  assert.deepEqual(
    outcome(() => compiled.values([resource], variables)),
    outcome(() => reference([resource], variables)),
    `${source} over ${JSON.stringify(resource)}`,
  );
}

const condition = {
  resourceType: 'Condition',
  id: 'c1',
  clinicalStatus: 'active',
  code: {
    text: 'Asthma',
    coding: [
      { system: 'http://snomed.info/sct', code: '195967001', display: 'Asthma' },
      { system: 'http://read.info/readv2', code: 'H33..00', display: 'Asthma', userSelected: true },
    ],
  },
  note: [{ text: 'one' }, { text: 'two' }],
  extension: [
    { url: 'https://fhir.nhs.uk/x/Extension-CareConnect-GPC-Significance-1', valueCode: 'major' },
    {
      url: 'https://fhir.hl7.org.uk/x/Extension-CareConnect-Links-1',
      extension: [{ url: 'target' }],
    },
  ],
};

describe('mapping: FHIRPath compiled to closures', () => {
  it('agrees with the package on what mappings write', () => {
    for (const source of [
      'clinicalStatus',
      "clinicalStatus = 'active'",
      "clinicalStatus != 'active'",
      "clinicalStatus in ('active' | 'inactive')",
      "'one' in note.text",
      "note.text in ('one' | 'two')",
      "note.text = 'one'",
      'note and true',
      'clinicalStatus.not()',
      'missing.not()',
      "missing = 'x'",
      "missing = 'x' or clinicalStatus = 'active'",
      "missing = 'x' and clinicalStatus = 'inactive'",
      'missing.empty() and clinicalStatus.exists()',
      "code.coding.where(system = 'http://snomed.info/sct').code",
      'code.coding.where(userSelected = true).display',
      "code.coding.exists(code = 'H33..00')",
      'note[1].text | note[0].text | note.text',
      'note.first().text | note.last().text | note.tail().text | note.skip(1).text',
      "ext('Significance').valueCode",
      "ext('Links').ext('target').exists()",
      "ext('Nothing').empty()",
      "$this.code.coding.where($this.display = 'Asthma').code",
      '%plan.code.text = code.text',
      '%nothing.code.text = code.text',
      '{}',
    ]) {
      bothWays(source, condition, { plan: [condition], nothing: [] });
    }
  });

  it('agrees with the package on generated expressions and elements', () => {
    const text = fc.constantFrom('a', 'b', '');
    const primitive = fc.oneof(text, fc.boolean(), fc.constant(undefined));
    const element = fc.record(
      { p: primitive, q: fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }), r: primitive },
      { requiredKeys: [] },
    );
    const resource = fc.record(
      { p: primitive, q: fc.array(text, { maxLength: 2 }), s: fc.array(element, { maxLength: 3 }) },
      { requiredKeys: [] },
    );
    const { expression } = fc.letrec<{ path: string; truth: string; expression: string }>(
      (tie) => ({
        path: fc.oneof(
          { maxDepth: 3 },
          fc.constantFrom('p', 'q', 's', 's.p', 's.q', 's[1].r', "'a'", 'true', '{}', '$this.p'),
          fc
            .tuple(tie('path'), fc.constantFrom('first()', 'last()', 'tail()', 'skip(1)'))
            .map(([a, b]) => `(${a}).${b}`),
          tie('truth').map((inner) => `s.where(${inner}).p`),
          fc.tuple(tie('path'), tie('path')).map(([a, b]) => `(${a} | ${b})`),
        ),
        truth: fc.oneof(
          { maxDepth: 3 },
          fc
            .tuple(tie('path'), fc.constantFrom('=', '!=', 'in'), tie('path'))
            .map((parts) => parts.join(' ')),
          fc
            .tuple(tie('path'), fc.constantFrom('exists', 'empty', 'not'))
            .map(([a, b]) => `(${a}).${b}()`),
          tie('truth').map((inner) => `s.exists(${inner})`),
          fc
            .tuple(tie('truth'), fc.constantFrom('and', 'or'), tie('truth'))
            .map(([a, b, c]) => `(${a}) ${b} (${c})`),
        ),
        expression: fc.oneof(tie('path'), tie('truth')),
      }),
    );
    fc.assert(
      fc.property(expression, resource, (source, value) => {
        fc.pre(parseExpression(source) !== undefined);
        // A Basic has none of these elements, so the model adds no types of its own.
        bothWays(source, JSON.parse(JSON.stringify({ resourceType: 'Basic', ...value })));
      }),
      { numRuns: 1500 },
    );
  });

  it('agrees with the package on real resources', function () {
    const bundles = realBundles(this);
    const sources = [
      "clinicalStatus = 'resolved'",
      "intent = 'order'",
      "verificationStatus != 'unconfirmed'",
      "verificationStatus.where($this = 'entered-in-error').empty()",
      "category.exists() and category.coding.where(code = 'problem-list-item').empty()",
      "code.coding.where(system = 'http://snomed.info/sct').code",
      "ext('MedicationStatementLastIssueDate').valueDateTime",
      "ext('ProblemSignificance').valueCode",
      "identifier.where(system = 'https://fhir.nhs.uk/Id/nhs-number').value",
      'reaction.onset',
    ];
    for (const { bundle } of bundles.slice(0, 40)) {
      const { entry = [] } = bundle as { entry?: { resource?: { resourceType?: string } }[] };
      const seen = new Map<string, number>();
      for (const { resource } of entry) {
        const type = resource?.resourceType ?? '';
        if (!/^(AllergyIntolerance|Condition|Medication|Patient)/.test(type)) continue;
        seen.set(type, (seen.get(type) ?? 0) + 1);
        if ((seen.get(type) ?? 0) > 2) continue;
        for (const source of sources) bothWays(source, resource);
      }
    }
  });

  it('reads the onset of a reaction, which has one type, as the package does', () => {
    const reaction = [{ onset: '2010-01' }, { description: 'rash' }, { onset: '2011' }];
    const allergy = { resourceType: 'AllergyIntolerance', onsetString: 'long ago', reaction };
    assert.ok(parseExpression('reaction.onset'));
    bothWays('reaction.onset', allergy);
  });

  it('leaves to the package what it would not mean exactly', () => {
    for (const source of [
      "onset = '2010'", // a choice of types
      "onsetDateTime = '2010-01'", // dates compare by precision
      'Condition.code', // a type name
      'note.count() > 1',
      "code.text.startsWith('A')",
      "ext('X').value",
      'constructor.name',
    ]) {
      assert.equal(parseExpression(source), undefined, source);
    }
    const path = compilePath("code.text.startsWith('As') and note.count() > 1", 'test');
    assert.equal(path.expression, undefined);
    assert.deepEqual(path.values([condition], {}), [true]);
  });

  it('never changes the resource it reads', () => {
    const before = JSON.stringify(condition);
    compilePath("code.text.startsWith('As')", 'test').values([condition], {});
    compilePath("code.coding.where(code = 'x')", 'test').values([condition], {});
    assert.equal(JSON.stringify(condition), before);
  });

  it('names extensions without their base, profile prefix and version', () => {
    for (const url of [
      'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ActualProblem-1',
      'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ActualProblem-1',
      'ActualProblem',
    ]) {
      assert.equal(extensionName(url), 'ActualProblem');
    }
  });
});
