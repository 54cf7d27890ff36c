/**
 * The documentation as a site (`npm run docs`): README.md and docs/ to website/dist, with a
 * navigation, a search and an anchor for every heading. It is read with any browser, from a web
 * server or as files, and fetches nothing from elsewhere.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { relative } from 'node:path/posix';
import { pagesOf } from './navigation.ts';
import { type Page, addressOf, escapeHtml, fileAddress, readPage } from './page.ts';

export interface Site {
  groups: { title: string; pages: Page[] }[];
}

const root = join(import.meta.dirname, '..');

/** Read every page. */
export function readSite(): Site {
  const groups = pagesOf(root);
  const all = new Set(groups.flatMap(({ pages }) => pages));
  const isFile = (path: string) =>
    existsSync(join(root, path)) && statSync(join(root, path)).isFile();
  const read = (path: string) =>
    readPage(path, readFileSync(join(root, path), 'utf8'), (one) => all.has(one), isFile);
  return { groups: groups.map(({ title, pages }) => ({ title, pages: pages.map(read) })) };
}

/** Write the site into a folder, which is emptied before. */
export function writeSite({ groups }: Site, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const write = (address: string, text: string | Buffer) => {
    const file = join(folder, address);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const pages = groups.flatMap((group) => group.pages);
  for (const [i, page] of pages.entries()) {
    write(addressOf(page.path), layout(groups, page, pages[i - 1], pages[i + 1]));
    for (const file of page.files) write(fileAddress(file), readFileSync(join(root, file)));
  }
  write('contents.html', layout(groups, contents(groups)));
  const sections = pages.flatMap((page) =>
    page.sections.map(({ title, anchor, text }) => {
      return [page.title, title, `${addressOf(page.path)}#${anchor}`, text];
    }),
  );
  // A script and not JSON: a page that is read as a file may not fetch.
  write('search-index.js', `const searchIndex = ${JSON.stringify(sections)};\n`);
  for (const name of ['style.css', 'search.js']) {
    cpSync(join(import.meta.dirname, name), join(folder, name));
  }
}

type Groups = Site['groups'];

/** Every page on one page, for who would rather read than search. */
function contents(groups: Groups): Page {
  const list = groups.map(
    ({ title, pages }) =>
      `<h2>${title}</h2>\n<ul>${pages.map((one) => `<li><a href="${addressOf(one.path)}">${escapeHtml(one.title)}</a></li>`).join('\n')}</ul>`,
  );
  const html = `<h1>All pages</h1>\n${list.join('\n')}`;
  return {
    path: 'docs/contents.md',
    title: 'All pages',
    html,
    headings: [],
    sections: [],
    files: [],
  };
}

function layout(groups: Groups, page: Page, before?: Page, after?: Page): string {
  const here = addressOf(page.path);
  const to = (address: string) => relative(dirname(here), address);
  const item = ({ path, title }: Page) => {
    const current = path === page.path ? ' aria-current="page"' : '';
    return `<li><a href="${to(addressOf(path))}"${current}>${escapeHtml(title)}</a></li>`;
  };
  const navigation = groups
    .map(({ title, pages }) => {
      const open = pages.some(({ path }) => path === page.path) || pages.length < 8 ? ' open' : '';
      return `<details${open}><summary>${title}</summary><ul>${pages.map(item).join('\n')}</ul></details>`;
    })
    .join('\n');
  const parts = page.headings.filter(({ depth }) => depth === 2);
  const onPage =
    parts.length > 2
      ? `<aside aria-label="On this page"><p>On this page</p><ul>${parts.map(({ text, anchor }) => `<li><a href="#${anchor}">${escapeHtml(text)}</a></li>`).join('\n')}</ul></aside>`
      : '';
  const turn = [
    before
      ? `<a rel="prev" href="${to(addressOf(before.path))}">← ${escapeHtml(before.title)}</a>`
      : '<span></span>',
    after
      ? `<a rel="next" href="${to(addressOf(after.path))}">${escapeHtml(after.title)} →</a>`
      : '',
  ];
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)} · Gatehouse</title>
<link rel="stylesheet" href="${to('style.css')}">
<script defer src="${to('search-index.js')}"></script>
<script defer src="${to('search.js')}" data-root="${to('.') || '.'}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="name" href="${to('index.html')}">Gatehouse</a>
<label class="search"><span>Search</span><input type="search" id="search" autocomplete="off" placeholder="Search  /"></label>
<label class="menu" for="menu">Menu</label>
</header>
<div id="results" role="region" aria-live="polite" aria-label="Search results" hidden></div>
<input type="checkbox" id="menu" aria-label="Show the navigation">
<div class="columns">
<nav aria-label="Pages">
${navigation}
</nav>
<main id="content">
<article>
${page.html}
</article>
<footer>${turn.join('\n')}</footer>
</main>
${onPage}
</div>
</body>
</html>
`;
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, 'dist');
  const site = readSite();
  writeSite(site, folder);
  const count = site.groups.flatMap(({ pages }) => pages).length;
  console.log(`${count} pages: open ${relative(process.cwd(), join(folder, 'index.html'))}`);
}
