import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../engine/config/yaml.ts';
import type { LocateEndpoint } from '../../engine/gp/port.ts';
import { loadPractices, locateByTable } from '../../engine/gp/practices.ts';
import { asker, attempt } from './outside.ts';

const header = 'ods,name,kind,address,asid,destination';
const good = [
  header,
  '# one of each kind',
  'A12345,"Surgery, The",gpconnect,https://gp.example/A12345/STU3/1,200000000116,',
  '',
  'b81616,Old Surgery,mllp,,,legacy-gp',
].join('\r\n');

function findingsOf(text: string): string[] {
  try {
    loadPractices('p.csv', text);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.findings.map(({ where, says }) => `${where} ${says}`);
  }
  return [];
}

describe('the practice table', () => {
  it('reads both kinds, comments and blank lines, with or without a byte order mark', () => {
    for (const text of [good, `\ufeff${good}\r\n`]) {
      const practices = loadPractices('p.csv', text);
      assert.deepEqual([...practices.keys()], ['A12345', 'B81616']);
      assert.equal(practices.get('A12345')?.name, 'Surgery, The');
    }
  });

  it('reads a file from disk, and says when it cannot', () => {
    const folder = mkdtempSync(join(tmpdir(), 'practices-'));
    try {
      const file = join(folder, 'practices.csv');
      writeFileSync(file, good);
      assert.equal(loadPractices(file).size, 2);
      assert.throws(() => loadPractices(join(folder, 'none.csv')), /cannot be read: ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes a table with only the columns it needs', () => {
    assert.equal(loadPractices('p.csv', 'ods,kind,destination\nA12345,mllp,gp').size, 1);
  });

  const bad: [string, string, RegExp[]][] = [
    ['an ODS code', `${header}\nA-1,,mllp,,,gp`, [/^p\.csv:2 "ods": an ODS code/]],
    ['a kind', `${header}\nA12345,,soap,,,gp`, [/^p\.csv:2 "kind": gpconnect, mllp or cdg/]],
    [
      'address and ASID',
      `${header}\nA12345,,gpconnect,gp.example,1,`,
      [/^p\.csv:2 "address"/, /^p\.csv:2 "asid": .*12 digits/],
    ],
    ['an mllp destination', `${header}\nA12345,,mllp,,,`, [/^p\.csv:2 "destination"/]],
    [
      'an address for mllp',
      `${header}\nA12345,,mllp,http://x,,gp`,
      [/^p\.csv:2 "address".*leave it empty/],
    ],
    [
      'a practice twice',
      `${good}\na12345,,mllp,,,gp`,
      [/^p\.csv:6 practice A12345 stands in line 3 too/],
    ],
    [
      'a short row',
      `${header}\nA12345,x,mllp`,
      [/:2 this row has another number/, /:2 "destination"/],
    ],
    ['an unknown column', `ods,kind,adress\n`, [/^p\.csv:1 unknown column "adress"/]],
    ['a missing column', `ods,name\nA12345,x`, [/^p\.csv:1 the column "kind" is missing/]],
    [
      'an open quote',
      `${header}\nA12345,"x,mllp,,,gp`,
      [/^p\.csv:\d+ this is not CSV: CSV_QUOTE_NOT_CLOSED/],
    ],
    [
      'several rows, all of them told',
      `${header}\nA-1,,mllp,,,gp\nB12345,,mllp,,,gp\nC-1,,mllp,,,gp`,
      [/^p\.csv:2 "ods"/, /^p\.csv:4 "ods"/],
    ],
  ];
  for (const [name, text, expected] of bad) {
    it(`finds fault with ${name}`, () => {
      const findings = findingsOf(text);
      assert.equal(findings.length, expected.length, findings.join('\n'));
      for (const [at, pattern] of expected.entries()) assert.match(findings[at] ?? '', pattern);
    });
  }

  it('locates by the table first, and by the directory where it has no row', async () => {
    const asked: string[] = [];
    const directory: LocateEndpoint = (practice) => {
      asked.push(practice);
      return Promise.resolve({
        event: 'transient',
        fault: { name: 'directoryUnavailable' },
        hops: [],
      });
    };
    const practices = loadPractices(
      'p.csv',
      `${good}\nE12345,,gpconnect,,,\nF12345,,cdg,,,gateway`,
    );
    const locate = locateByTable(practices, 'gpconnect', 'directory', directory);
    assert.deepEqual((await locate('a12345', asker, attempt())).value, {
      kind: 'gpconnect',
      name: 'gpconnect',
      address: 'https://gp.example/A12345/STU3/1',
      asid: '200000000116',
    });
    const mllp = await locate('B81616', asker, attempt());
    assert.deepEqual(mllp.value, { kind: 'mllp', name: 'legacy-gp' });
    assert.deepEqual(asked, []);
    assert.equal((await locate('C12345', asker, attempt())).event, 'transient');
    assert.deepEqual(asked, ['C12345']);
    const gateway = await locate('F12345', asker, attempt());
    assert.deepEqual(gateway.value, { kind: 'cdg', name: 'gateway' });
    const alone = locateByTable(practices, 'gpconnect', 'directory');
    const refusing = locateByTable(practices, 'gpconnect', 'refuse', directory);
    for (const table of [alone, refusing]) {
      const outcome = await table('C12345', asker, attempt());
      assert.deepEqual([outcome.event, outcome.fault?.name], ['notFound', 'practiceNotEnabled']);
    }
    assert.equal((await refusing('E12345', asker, attempt())).event, 'transient');
    assert.deepEqual(asked, ['C12345', 'E12345']);
  });
});
