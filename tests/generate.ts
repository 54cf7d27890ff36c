/**
 * Writes every generated file of the project (`npm run generate`), or with `--check` says which
 * are not what would be written, and fails. Generated files are committed, so that a reader and a
 * review see them and nothing has to be generated to run Gatehouse.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { referenceFiles } from './docs/reference.ts';
import { definitionFiles } from './hl7-definitions/versions.ts';

export interface GeneratedFile {
  /** From the project's root. */
  path: string;
  generate(): string | Promise<string>;
}

/** A new kind of generated file is an entry here. */
export const generatedFiles: GeneratedFile[] = [...definitionFiles, ...referenceFiles];

const root = new URL('../', import.meta.url);

async function main(check: boolean): Promise<void> {
  for (const { path, generate } of generatedFiles) {
    const file = new URL(path, root);
    const committed = await readFile(file, 'utf8').catch(() => undefined);
    const text = await generate();
    if (text === committed) continue;
    if (check) {
      process.exitCode = 1;
      console.error(`${path} is stale: run "npm run generate" and commit it.`);
    } else {
      await writeFile(file, text);
      console.log(`wrote ${path}`);
    }
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
