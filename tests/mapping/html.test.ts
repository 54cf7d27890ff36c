/** The text of a GP system's own view: nothing dropped, nothing mislabelled, nothing guessed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { htmlLine } from '../../engine/mapping/html/answered.ts';
import { blocksOf } from '../../engine/mapping/html/lines.ts';
import { UnreadableXhtml, readXhtml } from '../../engine/mapping/html/xhtml.ts';
import { root } from '../world.ts';

const texts = (xhtml: string) => blocksOf(xhtml).map(({ text }) => text);
const refused = (xhtml: string) => {
  let why = '';
  assert.throws(
    () => readXhtml(xhtml),
    (error) => {
      assert.ok(error instanceof UnreadableXhtml);
      why = error.message;
      return true;
    },
  );
  return why;
};

describe('html as text', () => {
  it('tells headings, banners, text, columns and rows apart', () => {
    const xhtml = `<div><h1>Allergies</h1>
      <div class="gptransfer-banner"><p>Not yet <b>complete</b></p></div>
      <div class="content-banner"><p><!-- none --></p></div>
      <table><thead><tr><th>Start Date</th><th>Details</th></tr></thead>
      <tbody><tr><td class="date-column">31 Oct 2016</td><td>Latex</td></tr></tbody></table>
      <p>No more.</p></div>`;
    assert.deepEqual(blocksOf(xhtml), [
      { kind: 'heading', text: 'Allergies' },
      { kind: 'banner', text: 'Not yet complete', banner: 'gptransfer-banner' },
      { kind: 'columns', text: 'Start Date; Details' },
      { kind: 'row', text: 'Start Date: 31 Oct 2016; Details: Latex' },
      { kind: 'text', text: 'No more.' },
    ]);
  });

  it('keeps what the look of a text says', () => {
    assert.deepEqual(texts('<p>4.5 10<sup>9</sup>/L, 1<sup>st</sup>, m<sup>-2</sup></p>'), [
      '4.5 10^9/L, 1st, m^-2',
    ]);
    assert.deepEqual(
      texts('<p><s>Latex</s> <span style="text-decoration: line-through">Nuts</span> Eggs</p>'),
      ['[struck out: Latex] [struck out: Nuts] Eggs'],
    );
  });

  it('knows a banner in whatever it is written', () => {
    for (const banner of [
      '<span class="Exclusion-Banner">x</span>',
      '<p class="content-banner exclusion-banner">x</p>',
    ]) {
      assert.deepEqual(blocksOf(banner), [
        { kind: 'banner', text: 'x', banner: 'exclusion-banner' },
      ]);
    }
    const { found } = htmlLine(
      [
        {
          dataset: 'ALL',
          code: 'ALL',
          title: 'Allergies',
          html: ['<p>Items excluded due to confidentiality and/or patient preferences.</p>'],
        },
      ],
      'ALL',
    );
    assert.ok(found.statuses.some(({ warning }) => warning === 'confidential-items'));
  });

  it('takes a table inside a banner for the banner it is', () => {
    const [banner] = blocksOf(
      '<div class="exclusion-banner"><table><tr><td>Left out</td></tr></table></div>',
    );
    assert.deepEqual(banner, { kind: 'banner', text: 'Left out', banner: 'exclusion-banner' });
  });

  it('labels the cells of a row, and an empty one too', () => {
    const table = (row: string) =>
      texts(`<table><tr><th>Drug</th><th>Dose</th><th>Max</th></tr>${row}</table>`).slice(1);
    assert.deepEqual(table('<tr><td>A</td><td>1</td><td></td></tr>'), ['Drug: A; Dose: 1; Max:']);
    // A row of one cell groups; it belongs to no column.
    assert.deepEqual(table('<tr><td colspan="3"><strong>A</strong></td></tr>'), ['A']);
  });

  it('labels nothing where the cells are not as many as the columns', () => {
    const head = '<tr><th>Drug</th><th>Dose</th><th>Quantity</th></tr>';
    assert.deepEqual(texts(`<table>${head}<tr><td>A</td><td>28</td></tr></table>`).slice(1), [
      'A; 28',
    ]);
    assert.deepEqual(
      texts(`<table>${head}<tr><td>A</td><td>1</td><td>28</td><td>x</td></tr></table>`).slice(1),
      ['A; 1; 28; x'],
    );
  });

  it('keeps columns in their places under cells that span rows and columns', () => {
    const xhtml = `<table>
      <tr><th rowspan="2">Drug</th><th colspan="2">Dose</th></tr>
      <tr><th>Morning</th><th>Night</th></tr>
      <tr><td rowspan="2">A</td><td>1</td><td>2</td></tr>
      <tr><td>3</td><td>4</td></tr>
      <tr><td>B</td><td colspan="2">as needed</td></tr></table>`;
    assert.deepEqual(texts(xhtml), [
      'Drug; Dose',
      'Morning; Night',
      'Drug: A; Morning: 1; Night: 2',
      'Morning: 3; Night: 4',
      'Drug: B; as needed',
    ]);
  });

  it('reads what real systems write: header cells in no row, a table in a paragraph', () => {
    const xhtml =
      '<div><p><table><tr><td><p>All Data Items</p></td></tr></table></p><table><th>Start date</th><th>Details</th><tr><td>31 Oct 2016</td><td>Latex allergy</td></tr></table></div>';
    assert.deepEqual(texts(xhtml), [
      'All Data Items',
      'Start date; Details',
      'Start date: 31 Oct 2016; Details: Latex allergy',
    ]);
  });

  it('carries lists, line breaks, tables in cells, pictures by their words, and what is preformatted', () => {
    assert.deepEqual(
      texts('<ul><li><p>a</p><ol><li>b</li><li>c<br/>d<br>e</li></ol></li><li></li></ul><p>f</p>'),
      ['- a', '  1. b', '  2. c\nd\ne', 'f'],
    );
    assert.deepEqual(
      texts(
        '<table><tr><td>x</td><td><table><tr><td>y</td><td>z</td></tr></table><p>q</p></td></tr></table>',
      ),
      ['x; y; z\nq'],
    );
    assert.deepEqual(texts('<img src="x.png" alt="Body map: left arm"/><pre>a  b\n  c</pre>'), [
      '[Body map: left arm]',
      'a  b\n  c',
    ]);
  });

  it('reads entities, and leaves what is none as it stands', () => {
    assert.deepEqual(
      texts('<p>&lt;5 &amp; &gt;3 &#181;g &#xB5;g &micro;g&nbsp;&pound; &le; &what; &#xD800;</p>'),
      ['<5 & >3 µg µg µg £ ≤ &what; &#xD800;'],
    );
    assert.deepEqual(texts('<p>BP <120 & a&b; 5 < 6</p>'), ['BP <120 & a&b; 5 < 6']);
    assert.deepEqual(texts('<p title="a > b">x<![CDATA[ <y> & ]]></p>'), ['x <y> &']);
  });

  it('refuses what it cannot read, and says why without its content', () => {
    assert.match(refused('<div><p>secret</div>'), /not nested/);
    assert.match(refused('<div><p>secret'), /never closed/);
    assert.match(refused('<div>secret<!-- '), /comment does not end/);
    assert.match(refused('<p>a</p><p secret="x>b</p>'), /does not end/);
    assert.match(refused('<div><script>secret()</script></div>'), /holds <script>/);
    assert.match(refused('<!DOCTYPE html><div>secret</div>'), /declaration/);
    assert.match(refused('<b>'.repeat(101)), /too deeply/);
    assert.match(refused(' '.repeat(5_000_001)), /too long/);
    for (const why of [refused('<div><p>secret</div>'), refused('<p secret')]) {
      assert.doesNotMatch(why, /secret/);
    }
  });

  it('drops no text, and keeps its order', () => {
    fc.assert(
      fc.property(document, (nodes) => {
        let count = 0;
        const words: string[] = [];
        const xhtml = nodes
          .map((node) =>
            written(node, () => {
              const word = `w${++count}`;
              words.push(word);
              return word;
            }),
          )
          .join('');
        const told = texts(xhtml).join('\n');
        let at = 0;
        for (const word of words) {
          const found = new RegExp(`${word}(?!\\d)`, 'g');
          found.lastIndex = at;
          const match = found.exec(told);
          assert.ok(match, `${word} is not in its place in:\n${told}\n${xhtml}`);
          at = match.index + word.length;
        }
        for (const [word] of told.matchAll(/w\d+/g)) assert.ok(words.includes(word));
      }),
      { numRuns: 300 },
    );
  });

  it('never throws anything but that it cannot be read', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '</',
      '/>',
      '<!--',
      '-->',
      'td',
      'table',
      '&',
      '&#1;',
      '"',
      '=',
      ' a',
      '<p>',
      '</p>',
      '<tr>',
      '<td rowspan="3" colspan="9">',
      '</td>',
      '<br>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          blocksOf(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof UnreadableXhtml);
        }
      }),
    );
  });

  it('reads the published examples whole', function () {
    const folder = join(root, '../shared/data/gpconnect/html');
    if (!existsSync(folder)) return this.skip();
    const files = readdirSync(folder).filter((file) => file.endsWith('.html'));
    assert.ok(files.length > 8);
    for (const file of files) {
      const source = readFileSync(join(folder, file), 'utf8');
      const told = texts(source).join('\n');
      const bare = source.replace(/<!--[^]*?-->/g, '').replace(/<[^>]*>/g, '\n');
      let at = 0;
      for (const text of bare
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)) {
        const found = told.indexOf(text, at);
        assert.ok(found >= 0, `${file}: ${text}`);
        at = found + text.length;
      }
    }
    return undefined;
  });
});

/** A narrative: each leaf becomes a word of its own when it is written. */
type Node = { name?: string; attributes?: string; children?: Node[] };

const leaf: fc.Arbitrary<Node> = fc.constant({});
const { block: document } = fc.letrec<{
  node: Node;
  block: Node[];
  row: Node;
  table: Node;
  list: Node;
}>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({
      name: fc.constantFrom('p', 'div', 'b', 'span', 'h2', 'li', 'a', 'pre', 'blockquote'),
      attributes: fc.constantFrom('', ' class="date-banner"', ' title="x > y"'),
      children: tie('block'),
    }),
    tie('table'),
    tie('list'),
  ),
  block: fc.array(tie('node'), { maxLength: 4 }),
  row: fc.record({
    name: fc.constant('tr'),
    children: fc.array(
      fc.record({
        name: fc.constantFrom('td', 'td', 'th'),
        attributes: fc.constantFrom('', '', ' colspan="2"', ' rowspan="2"'),
        children: tie('block'),
      }),
      { maxLength: 3 },
    ),
  }),
  table: fc.record({
    name: fc.constant('table'),
    children: fc.array(
      fc.oneof(
        tie('row'),
        leaf,
        fc.record({
          name: fc.constantFrom('thead', 'tbody'),
          children: fc.array(tie('row'), { maxLength: 2 }),
        }),
      ),
      { maxLength: 4 },
    ),
  }),
  list: fc.record({
    name: fc.constantFrom('ul', 'ol'),
    children: fc.array(fc.record({ name: fc.constant('li'), children: tie('block') }), {
      maxLength: 3,
    }),
  }),
}));

function written({ name, attributes = '', children = [] }: Node, word: () => string): string {
  if (name === undefined) return ` ${word()} `;
  return `<${name}${attributes}>${children.map((child) => written(child, word)).join('')}</${name}>`;
}
