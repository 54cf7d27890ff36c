/** The forms of the output: the same rows, for people and for each kind of program. */
import assert from 'node:assert/strict';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { type Form, forms, printListing, printOne, printRows } from '../../bin/cli/form.ts';
import { print } from '../../bin/cli/output.ts';

interface Row {
  name: string;
  count: number | null;
  open: boolean;
  more?: { deep: string[] };
}

/** Everything that could break a form: delimiters, quotes, line breaks, other scripts, nothing at all. */
const rows: Row[] = [
  { name: 'plain', count: 3, open: true },
  { name: 'a,"b";\tc\nd: [e]', count: null, open: false, more: { deep: ['é', '日本'] } },
  { name: '', count: 0, open: false },
  { name: '01', count: -1.5, open: true },
];
const columns = [
  { title: 'NAME', cell: ({ name }: Row) => name },
  { title: 'COUNT', cell: ({ count }: Row) => count },
  { title: 'OPEN', cell: ({ open }: Row) => (open ? 'open' : ''), wide: true },
];
const listing = { kind: 'things', key: 'things', rows, columns, beside: { total: 4 } };

/** What is printed to standard output meanwhile. @param isTTY whether it is a terminal */
function printed(print: () => void, isTTY = false): string {
  const { stdout } = process;
  const { write, isTTY: was } = stdout;
  let text = '';
  stdout.isTTY = isTTY;
  stdout.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof stdout.write;
  try {
    print();
  } finally {
    stdout.write = write;
    stdout.isTTY = was;
  }
  return text;
}
const listed = (form: Form, of = listing) => printed(() => printListing(form, of));

describe('the forms of the output', () => {
  const data = { kind: 'things', version: 1, total: 4, things: rows };

  it('JSON and YAML have the kind, the version, what stands beside, and every row as it is', () => {
    assert.deepEqual(JSON.parse(listed('json')), data);
    assert.deepEqual(parseYaml(listed('yaml')), data);
  });

  it('NDJSON has one row a line', () => {
    const lines = listed('ndjson').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as Row),
      rows,
    );
  });

  it('CSV has every key as a column, and reads back as the same texts', () => {
    const read = parseCsv<Record<string, string>>(listed('csv'), { columns: true });
    assert.deepEqual(Object.keys(read[0] ?? {}), ['name', 'count', 'open', 'more']);
    assert.deepEqual(
      read.map(({ name, count, open }) => [name, count, open]),
      rows.map(({ name, count, open }) => [name, count === null ? '' : `${count}`, `${open}`]),
    );
    assert.deepEqual(JSON.parse(read[1]?.more ?? ''), rows[1]?.more);
  });

  it('a table has a line for each row, tab-separated in a pipe, and more columns when wide', () => {
    const lines = listed('table').trimEnd().split('\n');
    assert.equal(lines[0], 'NAME\tCOUNT');
    assert.deepEqual(lines.slice(1), ['plain\t3', 'a,"b"; c d: [e]\t', '\t0', '01\t-1.5']);
    assert.equal(listed('wide').split('\n')[1], 'plain\t3\topen');
  });

  it('a table on a terminal is aligned, and nothing in a cell steers the terminal', () => {
    const hostile = [{ name: 'a\u001b[2Jb\u009bc\nd', count: 1, open: true }, ...rows.slice(0, 1)];
    const text = printed(() => printListing('table', { ...listing, rows: hostile }), true);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.ok(!/[\u001b\u009b]/.test(lines.slice(1).join('')), text);
    const [first = '', second = ''] = lines.slice(1);
    assert.equal(first.indexOf('1'), second.indexOf('3'));
  });

  it('nothing that is printed steers a terminal but our own styles; a pipe is given what there is', () => {
    const told =
      'MSH|\u001b[31mE\u001b[39m|\u001b[2J\u001b]52;c;x\u0007\u009bK\r\u202e|\tMoreÿ •\n';
    assert.equal(
      printed(() => print(told), true),
      'MSH|\u001b[31mE\u001b[39m|\ufffd[2J\ufffd]52;c;x\ufffd\ufffdK\ufffd\ufffd|\tMoreÿ •\n',
    );
    assert.equal(
      printed(() => print(told)),
      told,
    );
  });

  it('no rows are no rows, in every form', () => {
    const none = (form: Form) => listed(form, { ...listing, rows: [] });
    assert.deepEqual(JSON.parse(none('json')), { ...data, things: [] });
    assert.deepEqual(parseYaml(none('yaml')), { ...data, things: [] });
    assert.equal(none('ndjson'), '');
    assert.equal(none('csv'), '');
    assert.equal(none('table'), 'NAME\tCOUNT\n');
  });

  it('one thing is one line of NDJSON and one row of CSV', () => {
    const thing = { name: 'plain', gone: undefined, at: new Date(0) };
    const one = (form: Form) => printed(() => printOne(form, 'thing', thing, () => undefined));
    const at = '1970-01-01T00:00:00.000Z';
    assert.deepEqual(JSON.parse(one('json')), { kind: 'thing', version: 1, name: 'plain', at });
    assert.deepEqual(parseYaml(one('yaml')), { kind: 'thing', version: 1, name: 'plain', at });
    assert.equal(one('ndjson'), `{"name":"plain","at":"${at}"}\n`);
    assert.equal(one('csv'), `name,at\nplain,${at}\n`);
  });

  it('people are told in the words of the command, and nobody else is', () => {
    for (const form of forms) {
      let told = 0;
      printed(() => printRows(form, listing, () => void told++));
      assert.equal(told, form === 'table' || form === 'wide' ? 1 : 0, form);
    }
  });
});
