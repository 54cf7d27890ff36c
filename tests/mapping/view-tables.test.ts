/** The tables of the views: only codes that can be SNOMED CT codes, each with where it was checked. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TableRow, readTables } from '../../engine/mapping/tables.ts';

const root = join(import.meta.dirname, '../..');
const names = ['risk-codes', 'procedure-codes', 'admission-codes'];
const tables = readTables(join(root, 'mappings/tables'), []);
const rowsOf = (name: string): TableRow[] => [...(tables.get(name)?.rows.values() ?? [])];

/** Verhoeff's dihedral check, by which SNOMED CT identifiers end (SNOMED CT Release File Specification §6). */
function isValid(identifier: string): boolean {
  const turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
  const permuted = (digit: number, times: number): number =>
    times === 0 ? digit : permuted(turn[digit] ?? 0, times - 1);
  const combine = (a: number, b: number) =>
    a < 5
      ? b < 5
        ? (a + b) % 5
        : 5 + ((a + b) % 5)
      : b < 5
        ? 5 + ((a - b + 5) % 5)
        : (a - b + 10) % 5;
  const digits = [...identifier].reverse().map(Number);
  return digits.reduce((sum, digit, i) => combine(sum, permuted(digit, i % 8)), 0) === 0;
}

describe('the tables of the views', () => {
  it('hold valid SNOMED CT identifiers, each with its source', () => {
    for (const name of names) {
      assert.ok(rowsOf(name).length > 30, name);
      for (const { code, value, term, source } of rowsOf(name)) {
        assert.match(code, /^[1-9]\d{5,17}$/);
        assert.ok(isValid(code), `${name}: ${code} fails its check digit`);
        assert.ok(value && term && source, `${name}: ${code} has an empty column`);
      }
    }
    assert.ok(isValid('32485007') && !isValid('32485008') && !isValid('32458007'));
  });

  it('have the codes that the published records are said to have', function () {
    const folder = join(root, '../shared/data/gpconnect/structured');
    if (!existsSync(folder)) {
      console.log('      skipped: ../shared/data/gpconnect/structured is not here');
      this.skip();
    }
    const published = readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    const said = names
      .flatMap(rowsOf)
      .filter(({ source }) => /published GP Connect/.test(source ?? ''));
    assert.ok(said.length > 5);
    for (const { code } of said) {
      assert.ok(
        published.some((text) => new RegExp(`"code"\\s*:\\s*"${code}"`).test(text)),
        code,
      );
    }
  });
});
