/** Results whose status the GP system does not state: never final in silence, and the site's own choice. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSite } from '../../engine/config/site.ts';
import { at, bundle, list, map, named, patient } from './records.ts';

const root = join(import.meta.dirname, '../..');
const note = 'Status not stated by the GP system';

/** OBX-11 of one observation with this status, and whether the note stands under it. */
function shown(status: string, unknownStatus: 'F' | 'R') {
  const observation = {
    resourceType: 'Observation',
    id: 'o',
    status,
    code: {
      coding: [{ system: 'http://snomed.info/sct', code: '27113001', display: 'Body weight' }],
    },
    subject: { reference: 'Patient/p1' },
    valueQuantity: { value: 71.5, unit: 'kg' },
  };
  const record = bundle(patient, list('826501000000100', ['Observation/o']), observation);
  const { segments = [] } =
    map(record, { datasets: ['OBS'], site: { unknownStatus } }).datasets[0] ?? {};
  const result = named(segments, 'OBX').find((one) => at(one, 3) === '27113001');
  return [result?.fields[11], segments.some(({ fields }) => fields[3] === note)];
}

describe('a result whose status is not stated', () => {
  it('is F with a note that says so, or R, as the site chose', () => {
    assert.deepEqual(shown('unknown', 'F'), ['F', true]);
    assert.deepEqual(shown('unknown', 'R'), ['R', false]);
  });

  it('leaves a status that is stated as it is', () => {
    for (const choice of ['F', 'R'] as const) {
      assert.deepEqual(shown('final', choice), ['F', false]);
      assert.deepEqual(shown('preliminary', choice), ['P', false]);
    }
  });

  it('is a choice that no site is spared: check demands it, and assumes none', () => {
    const site = mkdtempSync(join(tmpdir(), 'site-'));
    try {
      cpSync(join(root, 'channels'), join(site, 'channels'), { recursive: true });
      for (const folder of ['mappings', 'fixtures'])
        symlinkSync(join(root, folder), join(site, folder));
      const file = join(site, 'channels/gp-record.yaml');
      const text = readFileSync(file, 'utf8');
      assert.match(text, /unknownStatus/);
      writeFileSync(file, text.replace(/^.*unknownStatus.*\n/m, ''));
      const found = loadSite(site).findings.map(
        ({ severity, says, next }) => `${severity} ${says} ${next}`,
      );
      assert.ok(
        found.some((one) =>
          /^error GP systems state no status for many results.*unknownStatus: F/.test(one),
        ),
        found.join('\n'),
      );
    } finally {
      rmSync(site, { recursive: true });
    }
  });
});
