/** One page: Markdown to HTML, with anchors as GitHub makes them. */
import { dirname, join, relative } from 'node:path/posix';
import { Marked, type Tokens } from 'marked';

export interface Heading {
  depth: number;
  text: string;
  anchor: string;
}

export interface Page {
  /** From the project's root. */
  path: string;
  title: string;
  html: string;
  headings: Heading[];
  /** Its sections for the search: heading, anchor, and words below it. */
  sections: { title: string; anchor: string; text: string }[];
  /** Files of the project that it links to and that are no pages. */
  files: string[];
}

/** Where a page stands in the site. */
export function addressOf(path: string): string {
  if (path === 'docs/README.md') return 'index.html';
  if (path === 'README.md') return 'tour.html';
  return path
    .replace(/^docs\//, '')
    .replace(/README\.md$/, 'index.html')
    .replace(/\.md$/, '.html');
}

/** Where a file that is no page stands in the site. */
const fileAddress = (path: string): string => `files/${path}.txt`;

/** The anchor of a heading, as the usual viewers make it. */
export function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/**
 * Read a page.
 * @param isPage whether a path is a page of the site
 * @param isFile whether a path is a file of the project
 */
export function readPage(
  path: string,
  markdown: string,
  isPage: (path: string) => boolean,
  isFile: (path: string) => boolean,
): Page {
  const page: Page = { path, title: path, html: '', headings: [], sections: [], files: [] };
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        const plain = text.replace(/[`*]/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
        const anchor = anchorOf(plain);
        page.headings.push({ depth, text: plain, anchor });
        const html = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchor}">${html}<a class="anchor" href="#${anchor}" aria-label="link to this section">#</a></h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        return `<a href="${escapeHtml(target(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      table(token: Tokens.Table) {
        const row = (cells: Tokens.TableCell[], tag: string) =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${unbroken(this.parser.parseInline(tokens))}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="wide"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>\n`;
      },
      code({ text, lang }: Tokens.Code) {
        const lines = text.split('\n').map((line) => codeLine(line, lang));
        return `<pre class="${lang === 'console' ? 'console' : 'code'}" tabindex="0"><code>${lines.join('\n')}</code></pre>\n`;
      },
    },
  });
  const target = (href: string): string => {
    if (/^(https?:|mailto:|#)/.test(href)) return href;
    const [to = '', anchor] = href.split('#');
    const named = join(dirname(path), to).replace(/\/$/, '');
    const hash = anchor === undefined ? '' : `#${anchor}`;
    const from = dirname(addressOf(path));
    if (isPage(named)) return `${relative(from, addressOf(named)) || '.'}${hash}`;
    if (isPage(`${named}/README.md`)) return relative(from, addressOf(`${named}/README.md`));
    if (isFile(named)) {
      page.files.push(named);
      return relative(from, fileAddress(named));
    }
    // A folder: the navigation has what is in it.
    return relative(from, 'contents.html');
  };
  page.html = marked.parse(markdown.replace(/<!--[^]*?-->/g, '')) as string;
  // The README and the start page have the same heading.
  const heading = page.headings.find(({ depth }) => depth === 1)?.text ?? path;
  page.title = { 'README.md': 'The tour', 'docs/README.md': 'Start' }[path] ?? heading;
  page.sections = sectionsOf(markdown, page.headings);
  return page;
}

export { fileAddress };

/** A code is one word, though it has a hyphen. */
const unbroken = (html: string): string => html.replace(/GH-\d{4}/g, '<span class="id">$&</span>');

function codeLine(line: string, lang: string | undefined): string {
  const shown = escapeHtml(line);
  return lang === 'console' && line.startsWith('$ ') ? `<b>${shown}</b>` : shown;
}

/** The words of each section, in the order of the headings. */
function sectionsOf(markdown: string, headings: readonly Heading[]): Page['sections'] {
  const parts = withoutCode(markdown).split(/^#{1,6} .*$/m);
  return headings.map(({ text, anchor }, i) => ({
    title: text,
    anchor,
    text: (parts[i + 1] ?? '')
      .replace(/<!--[^]*?-->/g, ' ')
      .replace(/\]\([^)]*\)/g, ' ')
      .replace(/[`*|[\]]/g, ' ')
      .replace(/-{3,}|\s+/g, ' ')
      .trim(),
  }));
}

/** A line of code that begins with # is no heading. */
const withoutCode = (text: string): string =>
  text.replace(/^```[^]*?^```$/gm, (block) => block.replace(/^#/gm, ' #'));

export const escapeHtml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
