/** The rules of the house: layers, sizes, names, and what must never be committed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { faults } from '../engine/faults.ts';

const root = resolve(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file && existsSync(join(root, file)));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const code = tracked.filter((file) => /^(engine|bin)\/.*\.ts$/.test(file));

/** Folder or file → what it may import from engine/ (itself aside). */
const layers: [RegExp, RegExp][] = [
  [/^engine\/hl7\//, /^engine\/(hl7\/|faults\.ts|events\.ts)/],
  [/^engine\/mllp\/frame\.ts/, /^engine\/(mllp\/|faults\.ts)/],
  [/^engine\/mllp\//, /^engine\/(mllp\/|faults\.ts|events\.ts)/],
  [/^engine\/journal\//, /^engine\/(journal\/|faults\.ts|events\.ts|thread\.ts)/],
  [
    /^engine\/gp\//,
    /^engine\/(gp\/|hl7\/|faults\.ts|events\.ts|config\/yaml\.ts|mllp\/destination\.ts)/,
  ],
  [
    /^engine\/mapping\//,
    /^engine\/(mapping\/|hl7\/|gp\/(port|json|bundle)\.ts|faults\.ts|config\/yaml\.ts|thread\.ts)/,
  ],
  [/^engine\/query\//, /^engine\/(query\/|hl7\/|gp\/port\.ts|mapping\/mapped\.ts|faults\.ts)/],
  [/^engine\/config\/(yaml|values)\.ts/, /^engine\/config\//],
  [/^engine\/route/, /^engine\/(route|effects\.ts|config\/)/],
];

function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map((match) => relative(root, resolve(root, dirname(file), match[1] ?? '')));
}

describe('house', () => {
  it('each layer imports only what lies beneath it', () => {
    const wrong: string[] = [];
    for (const file of code) {
      const [, allowed] = layers.find(([place]) => place.test(file)) ?? [];
      for (const target of importsOf(file)) {
        if (!target.startsWith('engine/')) continue;
        if (allowed && !allowed.test(target)) wrong.push(`${file} → ${target}`);
        if (
          /^engine\/simulator/.test(target) &&
          !/^(engine\/simulator|bin|engine\/cases)\//.test(file)
        ) {
          wrong.push(`${file} → ${target}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('only the composition names implementations of the journal and the listener', () => {
    const implementations =
      /^engine\/(journal\/sqlite|mllp\/source|gp\/(pds|sds|gpconnect|http))\.ts$/;
    const composition =
      /^(engine\/(engine|outside)\.ts|engine\/(simulator|cases|gp|mllp|journal)\/|bin\/)/;
    const wrong = code
      .filter((file) => !composition.test(file))
      .flatMap((file) =>
        importsOf(file)
          .filter((t) => implementations.test(t))
          .map((t) => `${file} → ${t}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('no file is longer than 300 lines', () => {
    const long = code
      .map((file) => [file, read(file).split('\n').length] as const)
      .filter(([, lines]) => lines > 300)
      .map(([file, lines]) => `${file}: ${lines}`);
    assert.deepEqual(long, []);
  });

  it('no room is called utils, helpers, common, misc or manager', () => {
    const drawers = tracked.filter((file) =>
      /(^|\/)(utils?|helpers?|common|misc|managers?)(\/|\.ts$)/.test(file),
    );
    assert.deepEqual(drawers, []);
  });

  it('nothing is left for later or switched off', () => {
    const later = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X\\b', '\\.only\\('].join('|'));
    const wrong = tracked
      .filter((file) => /^(engine|bin|tests|mappings|channels|bench)\/.*\.(ts|yaml)$/.test(file))
      .filter((file) => later.test(read(file)));
    assert.deepEqual(wrong, []);
  });

  it('no file is larger than 1 MB', () => {
    const large = tracked.filter((file) => readFileSync(join(root, file)).length > 1024 * 1024);
    assert.deepEqual(large, []);
  });

  it('nothing names the folder it was checked out in', () => {
    const here = dirname(root);
    if (here === '/' || here.length < 4) return;
    const wrong = tracked.filter(
      (file) => !/\.lock|lock\.json$/.test(file) && read(file).includes(`${here}/`),
    );
    assert.deepEqual(wrong, []);
  });

  it('TypeScript is imported by its own name, with no `any`', () => {
    const wrong = code.filter((file) =>
      importsOf(file).some((target) => !/\.(ts|json)$/.test(target)),
    );
    assert.deepEqual(wrong, []);
  });

  it('every fault has a code of its own and says what comes next', () => {
    const codes = Object.values(faults).map((row) => row.code);
    assert.equal(new Set(codes).size, codes.length);
    for (const row of Object.values(faults)) {
      assert.ok(row.says.length > 10 && row.next.length > 10, row.code);
      // A v2.4 ERR has no severity, so a positive acknowledgement carries none.
      if (row.msa === 'AA') assert.equal(row.err, null, row.code);
      else assert.ok(row.err, row.code);
    }
  });
});
