/** The documentation as a site: every page is in it, and every link in it leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readSite, writeSite } from '../../website/build.ts';
import { root } from '../world.ts';
import { allPages } from './pages.ts';

describe('the site of the documentation', () => {
  let folder: string;
  const site = readSite();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-docs-'));
    writeSite(site, folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');

  it('has every page in its navigation, once', () => {
    const shown = site.groups.flatMap(({ pages }) => pages.map(({ path }) => path));
    assert.deepEqual(
      shown.toSorted(),
      allPages()
        .map(({ path }) => path)
        .toSorted(),
    );
    for (const { title, pages } of site.groups) assert.ok(pages.length > 0, title);
  });

  it('has no link that leads nowhere, from any page and to any heading', () => {
    const broken: string[] = [];
    let count = 0;
    for (const file of globSync('**/*.html', { cwd: folder })) {
      for (const [, link = ''] of read(file).matchAll(/ (?:href|src)="([^"]*)"/g)) {
        if (/^(https?|mailto):/.test(link)) continue;
        count++;
        const [to = '', anchor] = link.split('#');
        const target = to === '' ? file : join(dirname(file), to);
        if (!existsSync(join(folder, target))) broken.push(`${file}: ${link}`);
        else if (anchor && !read(target).includes(` id="${anchor}"`))
          broken.push(`${file}: ${link}`);
      }
    }
    assert.deepEqual(broken, []);
    assert.ok(count > 1000);
  });

  it('fetches nothing from elsewhere, so that it is read as files too', () => {
    for (const file of globSync('**/*.{html,css,js}', { cwd: folder })) {
      if (file === 'search-index.js') continue;
      const loads = read(file).match(/(?:src|<link[^>]*href)="https?:|@import|fetch\(/);
      assert.equal(loads, null, file);
    }
  });

  it('finds each fault and each command by its name', () => {
    const [, json = ''] = /^const searchIndex = (.*);\n$/s.exec(read('search-index.js')) ?? [];
    const sections = JSON.parse(json) as [page: string, title: string, to: string, text: string][];
    const found = (word: string) =>
      sections.filter(([, title, , text]) => title.includes(word) || text.includes(word));
    for (const word of ['GH-5003', 'GH-0692', 'gatehouse message explain', 'PID-3']) {
      assert.ok(found(word).length > 0, word);
    }
    for (const [, , to] of sections)
      assert.ok(existsSync(join(folder, to.split('#')[0] ?? '')), to);
  });

  it('shows the text of a page whole: tables, code and what looks like a tag', () => {
    const faults = read('reference/faults.html');
    assert.match(faults, /<span class="id">GH-5003<\/span>/);
    assert.ok(read('reference/cli.html').includes('&lt;host:port&gt;'));
    assert.ok(read('tour.html').includes('<b>$ npx gatehouse message list</b>'));
    assert.ok(existsSync(join(root, 'docs', 'README.md')));
  });
});
