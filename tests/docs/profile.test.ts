/** docs/profile.md against what the engine really answers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileStructures } from '../../engine/hl7/definitions/profile.ts';
import { validateMessage } from '../../engine/hl7/validate.ts';
import { type World, ask, qbp, root, startWorld } from '../world.ts';

const profile = readFileSync(join(root, 'docs/profile.md'), 'utf8');
const [, deviations = ''] = profile.split('## Where we leave the standard');

/** What the validator finds in our answers, and the row of the profile that declares it. */
const declared: [RegExp, string][] = [
  [/^QAK is not part of the structure ADR_A19/, 'QAK in an ADR^A19 of v2.3'],
  [/no message structure for RSP\^K11/, 'RSP^K11 in a version that does not have it'],
  [/^(PID|PV1) is missing .*QUERY_RESPONSE/, 'ADR_A19 without its group'],
  [/^PD1-3\.3 .* is not a number/, 'PD1-3.3'],
  [/^PID-5 .* repeats; in version 2\.3/, 'PID-5 repeats, in v2.3 too'],
  [/^RXO-[24] .* is required and is empty/, 'RXO-2 and RXO-4 are empty, in v2.3 too'],
];

describe('the profile', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  it('declares every way in which an answer leaves the standard', async () => {
    const port = world.engine.ports['gp-record'] ?? 0;
    const undeclared = new Set<string>();
    const met = new Set<RegExp>();
    for (const patient of ['9465701459', '9990000077', '9990000107']) {
      for (const version of ['2.3', '2.4', '2.5.1']) {
        for (const query of [
          qbp(patient, { 'MSH-12': version, 'QPD-4': '' }),
          qry(patient, version),
        ]) {
          const answer = await ask(port, query);
          assert.equal(answer.get('MSA-1'), 'AA');
          const id = answer.get('MSH-9.3') as keyof typeof profileStructures;
          for (const { says } of validateMessage(answer, { structure: profileStructures[id] })) {
            const row = declared.find(([finding]) => finding.test(says));
            if (row) met.add(row[0]);
            if (!row || !deviations.includes(`| ${row[1]}`)) undeclared.add(`${version}: ${says}`);
          }
        }
      }
    }
    assert.deepEqual([...undeclared], []);
    assert.equal(met.size, declared.length);
  });

  it('has the sentence of every caution', () => {
    const source = readFileSync(join(root, 'engine/query/cautions.ts'), 'utf8');
    const sentences = [...source.matchAll(/(["'])(CAUTION: .*?)\1,$/gm)].map(([, , text]) => text);
    assert.ok(sentences.length > 8);
    for (const text of sentences) assert.ok(profile.includes(`| ${text} |`), text);
  });

  it('has every status of a dataset, and every warning of our own', () => {
    const folder = join(root, 'engine/mapping');
    const source = ['completeness.ts', 'gather.ts', 'tree.ts', 'view.ts']
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    for (const [, letter, name] of source.matchAll(/^ {2}([CEDU]): '(.+)',$/gm)) {
      assert.ok(profile.includes(`\`${letter}^${name}^L\``), name);
    }
    const own = [...source.matchAll(/(?:code: |= )'([a-z]+-[a-z-]+)'/g)].map(([, code]) => code);
    assert.ok(own.length >= 4);
    for (const code of own) assert.ok(profile.includes(`\`W^${code}^L\``), code);
  });

  it('has every field that a query is read from', () => {
    const source = readFileSync(join(root, 'engine/query/query.ts'), 'utf8');
    const fields = new Set(
      [...source.matchAll(/\b(QPD|QRD|RCP)-(\d+)/g)].map(([, name, field]) => `${name}-${field}`),
    );
    assert.ok(fields.size > 12);
    for (const field of fields) assert.match(profile, new RegExp(`^\\| ${field} \\|`, 'm'), field);
  });
});

let serial = 0;
function qry(nhsNumber: string, version: string): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||QRY^A19^QRY_A19|D${++serial}|P|${version}`,
    `QRD|20260604101500|R|I|Q2|||1^RD|${nhsNumber}^^^^^^^^NHS^^^^NH|PAT^^L~ALL^^L~MED^^L~PRB^^L|GPREC`,
    'ZAU|10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|G||ED',
    '',
  ].join('\r');
}
