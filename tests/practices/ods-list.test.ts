/** The list of practices from ODS: what is taken, and that everything else is accounted for. */
import assert from 'node:assert/strict';
import { readOdsList } from '../../engine/practices/ods-list.ts';
import { mixed, odsRow } from './ods.ts';

const read = (lines: readonly string[], ...commissioners: string[]) =>
  readOdsList(Buffer.from(`${lines.join('\r\n')}\r\n`), new Set(commissioners));

describe('the ODS list of practices', () => {
  it('takes active GP practices of the commissioners, in both forms of the list', () => {
    const list = read(mixed, '08M', '99X');
    assert.deepEqual([...list.practices.keys()], ['F84001', 'F84006', 'Z99907']);
    assert.equal(list.practices.get('F84001')?.name, 'ALBION "STREET" SURGERY');
    assert.equal(list.practices.get('Z99907')?.line, 9);
    assert.deepEqual(list.empty, ['99X']);
  });

  it('counts every row it does not take with its reason, and says what became of each code', () => {
    const list = read([...mixed, '"F84010","SHORT"'], '08M');
    const skipped = { otherCommissioner: 1, notGpPractice: 1, closed: 2, dormant: 1, proposed: 1 };
    assert.deepEqual(list.skipped, skipped);
    const counted = Object.values(list.skipped).reduce((a, b) => a + b, 0);
    assert.equal(list.rows, list.practices.size + counted + list.malformed.length);
    assert.deepEqual(Object.fromEntries(list.fates), {
      F84002: 'closed 2024-03-31',
      F84003: 'dormant',
      F84004: 'proposed',
      F84005: 'no GP practice (walk-in centre)',
      F84007: 'closed 2025-01-31',
      F84010: 'its row is malformed',
      G85001: 'commissioned by 72Q',
    });
  });

  it('takes the practices of everybody where no commissioner is named', () => {
    assert.equal(read(mixed).practices.size, 4);
  });

  it('names the line of what is malformed, and reads on', () => {
    const rows = [
      odsRow('F84001'),
      '"F84002","A',
      odsRow('F-1'),
      odsRow('F84003', { status: 'X' }),
      odsRow('F84001'),
      odsRow('F84004'),
    ];
    const list = read([...rows.slice(0, 1), ...rows.slice(2)]);
    assert.deepEqual(
      list.malformed.map(({ line, says }) => `${line} ${says}`),
      [
        '2 column 1 is no ODS code',
        '3 column 13 is no status: A, C, D, P or a word for one of them',
        '4 F84001 is there twice',
      ],
    );
    assert.deepEqual([...list.practices.keys()], ['F84001', 'F84004']);
    const cut = readOdsList(Buffer.from(rows.slice(0, 2).join('\n')), new Set());
    assert.deepEqual([...cut.practices.keys(), cut.malformed.length, cut.rows], ['F84001', 1, 2]);
  });

  it('reads Windows-1252 where it is no UTF-8', () => {
    const list = readOdsList(
      Buffer.from(odsRow('F84001', { name: 'ST ANDR\u00c9' }), 'latin1'),
      new Set(),
    );
    assert.equal(list.practices.get('F84001')?.name, 'ST ANDR\u00c9');
  });
});
