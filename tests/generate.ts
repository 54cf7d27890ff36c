/**
 * Writes every generated file of the project (`npm run generate`), or with `--check` says which
 * are not what would be written, and fails. Generated files are committed, so that a reader and a
 * review see them and nothing has to be generated to run Gatehouse.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { definitionFiles } from './hl7-definitions/files.ts';

export interface GeneratedFile {
  /** From the project's root. */
  path: string;
  generate(): string | Promise<string>;
}

/** A new kind of generated file is an entry here. */
export const generatedFiles: GeneratedFile[] = [...definitionFiles];

const root = new URL('../', import.meta.url);

/** The paths of the files that are absent or not what would be written. */
export async function staleFiles(files: GeneratedFile[]): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, generate } of files) {
    const committed = await readFile(new URL(path, root), 'utf8').catch(() => undefined);
    if (committed !== (await generate())) stale.push(path);
  }
  return stale;
}

async function main(args: string[]): Promise<void> {
  const stale = await staleFiles(generatedFiles);
  if (args.includes('--check')) {
    for (const path of stale) console.error(`${path} is stale: run "npm run generate".`);
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const { path, generate } of generatedFiles) {
    if (!stale.includes(path)) continue;
    await writeFile(new URL(path, root), await generate());
    console.log(`wrote ${path}`);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}
