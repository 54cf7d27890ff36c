/**
 * The text of a FHIR narrative, block by block: headings, banners, paragraphs, list items and rows of
 * tables (`table.ts`). Every text of the source is in it, in its order; beside it there are only the
 * marks of list items and the labels of columns, said again for each row.
 */
import { type Row, rowsOf } from './table.ts';
import { type Element, readXhtml } from './xhtml.ts';

export interface Block {
  kind: 'heading' | 'banner' | 'text' | 'columns' | 'row';
  text: string;
  /** The class of a banner, for example `exclusion-banner`. */
  banner?: string;
}

/** What a banner means for the dataset, where it says anything. */
export const bannerWarnings: Readonly<Record<string, string>> = {
  'exclusion-banner': 'confidential-items',
  'gptransfer-banner': 'data-in-transit',
};

/** Elements that begin on a line of their own. */
const blockElements: ReadonlySet<string> = new Set(
  'div p ul ol dl dt dd li h1 h2 h3 h4 h5 h6 blockquote pre address hr table caption thead tbody tfoot tr td th section article header footer'.split(
    ' ',
  ),
);

/**
 * The blocks of an XHTML fragment.
 * @throws UnreadableXhtml
 */
export function blocksOf(xhtml: string): Block[] {
  return blocksIn(readXhtml(xhtml).children, { kind: 'text', indent: '' });
}

/** Where text stands. */
interface Place {
  kind: Block['kind'];
  banner?: string;
  /** The list around it, and the depth of lists as spaces. */
  list?: 'ul' | 'ol';
  indent: string;
  /** White space is kept. */
  preformatted?: boolean;
}

function blocksIn(nodes: Element['children'], place: Place): Block[] {
  const writer = createWriter();
  writeAll(nodes, writer, place);
  writer.end();
  return writer.blocks;
}

type Writer = ReturnType<typeof createWriter>;

/** Collects inline text into blocks. */
function createWriter() {
  const blocks: Block[] = [];
  let inHand = '';
  let place: Place = { kind: 'text', indent: '' };
  let mark = '';
  return {
    blocks,
    write(text: string, at: Place) {
      if (inHand === '') place = at;
      inHand += at.preformatted ? text : text.replace(/[ \t\r\n\f\u00a0]+/g, ' ');
    },
    /** A line break inside a block. */
    break() {
      if (inHand.trim() !== '') inHand += '\n';
    },
    /** The mark of a list item stands before the first block in it. */
    mark(text: string) {
      mark = text;
    },
    /** The block in hand ends. */
    end() {
      const { kind, banner, indent, preformatted } = place;
      const plain = inHand.replace(/ *\n */g, '\n').replace(/ {2,}/g, ' ');
      const text = (preformatted ? inHand : plain).trim();
      inHand = '';
      if (text === '') return;
      const told = banner === undefined ? {} : { banner };
      blocks.push({ kind, text: indent + mark + text, ...told });
      mark = '';
    },
  };
}

function writeAll(nodes: Element['children'], writer: Writer, place: Place): void {
  let number = 0;
  for (const node of nodes) {
    if (typeof node === 'string') writer.write(node, place);
    else if (node.name === 'li') {
      number++;
      writer.end();
      writer.mark(place.list === 'ol' ? `${number}. ` : '- ');
      writeAll(node.children, writer, place);
      writer.end();
      writer.mark('');
    } else write(node, writer, place);
  }
}

function write(element: Element, writer: Writer, place: Place): void {
  const { name, attributes, children } = element;
  if (name === 'br') writer.break();
  else if (name === 'img') writer.write(attributes.alt ? `[${attributes.alt}]` : '', place);
  else if (!blockElements.has(name) && bannerOf(element) === undefined) {
    const [before, after] = marksOf(element);
    if (before) writer.write(before, place);
    writeAll(children, writer, place);
    if (after) writer.write(after, place);
  } else {
    writer.end();
    if (name === 'table') writer.blocks.push(...tableBlocks(element, place));
    else writeAll(children, writer, inside(element, place));
    writer.end();
  }
}

/**
 * Marks for what the look of a text says, which plain text would lose: a number above the line is no
 * further digit (10<sup>9</sup>), and what is struck out does not hold.
 */
function marksOf({ name, attributes, children }: Element): [before?: string, after?: string] {
  const isStruck = /line-through/i.test(attributes.style ?? '');
  if (isStruck || /^(s|strike|del)$/.test(name)) return ['[struck out: ', ']'];
  return name === 'sup' && /^\s*[-+\u2212]?\d/.test(String(children[0])) ? ['^'] : [];
}

/** Of several, the one that says the most. */
function bannerOf({ attributes }: Element): string | undefined {
  const classes = (attributes.class ?? '').toLowerCase().split(/\s+/);
  const banners = classes.filter((one) => one.endsWith('-banner'));
  return banners.find((one) => Object.hasOwn(bannerWarnings, one)) ?? banners[0];
}

/** Where the content of a block stands. */
function inside(element: Element, place: Place): Place {
  const { name } = element;
  const banner = bannerOf(element);
  if (banner !== undefined) return { ...place, kind: 'banner', banner };
  if (/^h[1-6]$/.test(name) && place.kind === 'text') return { ...place, kind: 'heading' };
  if (name === 'pre') return { ...place, preformatted: true };
  if (name !== 'ul' && name !== 'ol') return place;
  return { ...place, list: name, indent: place.list ? `${place.indent}  ` : place.indent };
}

function tableBlocks(table: Element, place: Place): Block[] {
  const textOf = (nodes: Element['children']) =>
    blocksIn(nodes, { kind: 'text', indent: '' })
      .map(({ text }) => text)
      .join('\n');
  return rowsOf(table, textOf).map(({ kind, text }: Row): Block => {
    if (place.banner === undefined) return { kind, text };
    return { kind: 'banner', text, banner: place.banner };
  });
}
