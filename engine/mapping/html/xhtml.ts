/**
 * Reads the XHTML of a FHIR narrative into a tree (FHIR STU3 "Narrative": the basic formatting of
 * HTML, well-formed as XML, nothing active). It is bounded, and it refuses what it cannot read: a
 * clinician is told that a section could not be read, never shown what somebody guessed it to be.
 *
 * Tolerated, since it cannot be misread: a `<` or `&` that begins neither a tag nor an entity is text;
 * elements that are always empty (`<br>`) need no slash; a closing tag where nothing is open closes
 * nothing; the entities of Latin-1 and of typography stand for their characters, although XML does
 * not know them, and any other stays as it is written.
 */

/** An element with what stands in it, in order; text is decoded and keeps its white space. */
export interface Element {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: (Element | string)[];
}

/** Why XHTML could not be read; holds no content. */
export class UnreadableXhtml extends Error {}

const limits = { characters: 5_000_000, depth: 100 };

/** Elements without content. */
const empty: ReadonlySet<string> = new Set(['br', 'hr', 'img', 'col', 'wbr']);
/** What a narrative must not hold: it is active, or its text is not meant to be read. */
const foreign: ReadonlySet<string> = new Set(
  'script style head title form input select textarea button iframe frame object embed applet base link meta'.split(
    ' ',
  ),
);

/**
 * Read a fragment.
 * @returns an element without a name that holds all of it
 * @throws UnreadableXhtml
 */
export function readXhtml(source: string): Element {
  const refuse = (why: string) => new UnreadableXhtml(why);
  if (source.length > limits.characters) throw refuse('it is too long');
  const root: Element = { name: '', attributes: {}, children: [] };
  const open: Element[] = [root];
  const within = () => open.at(-1) ?? root;
  let at = 0;
  const upTo = (end: string, what: string): string => {
    const found = source.indexOf(end, at);
    if (found < 0) throw refuse(`${what} does not end`);
    const text = source.slice(at, found);
    at = found + end.length;
    return text;
  };
  while (at < source.length) {
    const next = markup(source, at);
    if (next > at) within().children.push(decoded(source.slice(at, next)));
    at = next;
    if (at >= source.length) break;
    if (source.startsWith('<!--', at)) {
      at += 4;
      upTo('-->', 'a comment');
    } else if (source.startsWith('<![CDATA[', at)) {
      at += 9;
      within().children.push(upTo(']]>', 'a CDATA section'));
    } else if (source.startsWith('<?', at)) upTo('?>', 'a processing instruction');
    else if (source.startsWith('<!', at)) throw refuse('it holds a declaration');
    else if (source.startsWith('</', at)) {
      at += 2;
      const name = localName(upTo('>', 'a tag'));
      if (empty.has(name) || open.length === 1) continue;
      if (within().name !== name) throw refuse('its tags are not nested');
      open.pop();
    } else {
      const { element, closed, end } = readTag(source, at);
      if (foreign.has(element.name)) throw refuse(`it holds <${element.name}>`);
      within().children.push(element);
      at = end;
      if (closed || empty.has(element.name)) continue;
      open.push(element);
      if (open.length > limits.depth) throw refuse('it is nested too deeply');
    }
  }
  if (open.length > 1) throw refuse('a tag is never closed');
  return root;
}

/** Where the next markup begins; the end where there is none. */
function markup(source: string, from: number): number {
  const begins = /<(?=[A-Za-z/!?])/g;
  begins.lastIndex = from;
  return begins.exec(source)?.index ?? source.length;
}

const attribute = /\s+([A-Za-z_:][\w:.-]*)(?:\s*=\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'<>=`/]+)))?/y;

function readTag(source: string, from: number): { element: Element; closed: boolean; end: number } {
  const name = /<([A-Za-z][\w:.-]*)/y;
  name.lastIndex = from;
  const [head = '<', written = ''] = name.exec(source) ?? [];
  const attributes: Record<string, string> = {};
  let at = from + head.length;
  for (;;) {
    attribute.lastIndex = at;
    const [all, key, double, single, bare] = attribute.exec(source) ?? [];
    if (all === undefined || key === undefined) break;
    attributes[localName(key)] = decoded(double ?? single ?? bare ?? '');
    at += all.length;
  }
  const [, slash, end] = /^\s*(\/?)(>)/.exec(source.slice(at, at + 100)) ?? [];
  if (end === undefined) throw new UnreadableXhtml('a tag does not end');
  const close = source.indexOf('>', at) + 1;
  return {
    element: { name: localName(written), attributes, children: [] },
    closed: slash === '/',
    end: close,
  };
}

const localName = (name: string) => name.trim().toLowerCase().replace(/^.*:/, '');

/** Text with its references read. */
function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]*));/g,
    (all, ...found) => {
      const [decimal, hexadecimal, name] = found as (string | undefined)[];
      if (name !== undefined) return entities.get(name) ?? all;
      const code = decimal === undefined ? parseInt(hexadecimal ?? '', 16) : Number(decimal);
      const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : all;
    },
  );
}

/** Latin-1 from U+00A0 in its order (HTML 4 §24.2.1), then markup and typography. */
const latin1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'.split(
    ' ',
  );
const entities: ReadonlyMap<string, string> = new Map([
  ...latin1.map((name, i): [string, string] => [name, String.fromCharCode(0xa0 + i)]),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['ndash', '\u2013'],
  ['mdash', '\u2014'],
  ['lsquo', '\u2018'],
  ['rsquo', '\u2019'],
  ['ldquo', '\u201c'],
  ['rdquo', '\u201d'],
  ['bull', '\u2022'],
  ['hellip', '\u2026'],
  ['euro', '\u20ac'],
  ['le', '\u2264'],
  ['ge', '\u2265'],
  ['ne', '\u2260'],
  ['rarr', '\u2192'],
]);
