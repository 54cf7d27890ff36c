import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultError } from '../../engine/faults.ts';
import { openHolds } from '../../engine/outbound/holds.ts';

describe('what a person holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-holds-'));
  const file = join(folder, 'held.json');
  const hold = { since: '2026-06-04T10:15:00.000Z', by: 'a.smith', exchange: 'HOFRZF4MQ0' };
  after(() => rmSync(folder, { recursive: true }));

  it('is nothing at first, and the same in the next life', () => {
    const first = openHolds(folder);
    assert.equal(first.get('adt/epr'), undefined);
    first.put('adt/epr', hold);
    first.put('adt/lab', hold);
    first.remove('adt/lab');
    const next = openHolds(folder);
    assert.deepEqual(next.get('adt/epr'), hold);
    assert.equal(next.get('adt/lab'), undefined);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('is still held where the file cannot be written that says otherwise', () => {
    const gone = mkdtempSync(join(folder, 'gone-'));
    const holds = openHolds(gone);
    holds.put('adt/epr', hold);
    rmSync(gone, { recursive: true });
    assert.throws(() => holds.remove('adt/epr'), /ENOENT/);
    assert.throws(() => holds.remove('adt/epr'), /ENOENT/);
    assert.deepEqual(holds.get('adt/epr'), hold);
  });

  it('is never guessed where its file cannot be read', () => {
    for (const text of ['', '{', '{"version":2,"held":{}}', '{"version":1,"held":{"adt/epr":1}}']) {
      writeFileSync(file, text);
      assert.throws(
        () => openHolds(folder),
        (error: unknown) =>
          error instanceof FaultError && error.fault.name === 'holdsUnreadable' && !!error.cause,
      );
    }
  });
});
