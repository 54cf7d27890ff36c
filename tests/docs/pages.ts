/** The documentation as its readers meet it: pages, headings, links and code. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../world.ts';

export interface Page {
  /** From the project's root. */
  path: string;
  text: string;
}

/** README.md and everything below docs/. */
export function allPages(): Page[] {
  const paths = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).sort()];
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The anchors of a page, made of its headings as the usual viewers make them. */
export function anchorsOf(text: string): Set<string> {
  const headings = withoutBlocks(text).matchAll(/^#{1,6} +(.+?)\s*$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The targets of `[text](target)`. */
export function linksOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** The fenced blocks of a language. */
export function blocksOf(text: string, language: string): string[] {
  const fences = text.matchAll(/^```(\w*)\n([^]*?)^```$/gm);
  return [...fences].filter(([, name]) => name === language).map(([, , body]) => body ?? '');
}

/** What stands between backticks in running text. */
export function spansOf(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
}

function withoutBlocks(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '');
}
