/** Where each page of the documentation stands in the site. */
import { globSync } from 'node:fs';

export interface Group {
  title: string;
  /** Paths from the project's root: pages, or patterns of pages in the order of their names. */
  pages: readonly string[];
}

/** The navigation, from the top. A page that no group has stops the build. */
export const groups: readonly Group[] = [
  { title: 'Start', pages: ['docs/README.md', 'README.md'] },
  { title: 'Jobs', pages: ['docs/jobs/README.md', 'docs/jobs/[0-9]*.md'] },
  { title: 'Coming from Mirth', pages: ['docs/mirth.md', 'docs/mirth-channel.md'] },
  {
    title: 'How it works',
    pages: [
      'docs/lifecycle.md',
      'docs/deliveries.md',
      'docs/lookup.md',
      'docs/back-ends.md',
      'docs/profile.md',
      'docs/journal.md',
      'docs/*.md',
    ],
  },
  { title: 'Reference', pages: ['docs/reference/*.md'] },
  {
    title: 'Safety and proof',
    pages: ['docs/clinical-safety.md', 'docs/proof.md', 'docs/benchmarks.md'],
  },
  { title: 'Decisions', pages: ['docs/decisions/*.md'] },
  { title: 'Changes', pages: ['docs/changes/*.md'] },
];

/** The pages of each group that are there, each page in one group alone. */
export function pagesOf(root: string): { title: string; pages: string[] }[] {
  const named = new Set(groups.flatMap(({ pages }) => pages));
  const seen = new Set<string>();
  return groups.map(({ title, pages }) => {
    const found = pages.flatMap((pattern) =>
      globSync(pattern, { cwd: root })
        .sort()
        .filter((page) => page === pattern || !named.has(page))
        .filter((page) => !seen.has(page) && seen.add(page)),
    );
    return { title, pages: found };
  });
}
