/** What is measured within one thread: the message layer beside two libraries, and the mapping. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { startChild } from './children.ts';
import { type EditRow, type MappingRow, spreadOf } from './figures.ts';
import type { EditRequest, EditResult } from './processes/edit.ts';
import type { MappingRequest, MappingResult } from './processes/mapping.ts';

/** Published records, where somebody has put them beside the repository. */
const published = resolve(import.meta.dirname, '../../shared/data/gpconnect/structured');
const publishedFiles = ['pwtp10-01.json', 'skelly-heslby-demonstrator-01.json'];
const libraries = ['gatehouse', 'node-hl7-client', 'hl7v2'];

/** Parse, edit, serialise a 1 KB ADT: each library in each repetition. */
export async function measureEdits(repetitions: number, ms: number): Promise<EditRow[]> {
  const children = await Promise.all(libraries.map((library) => startChild('edit', [library])));
  try {
    const results: EditResult[][] = libraries.map(() => []);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const [at, child] of children.entries()) {
        const request: EditRequest = { ms };
        results[at]?.push(await child.ask<EditResult>(request, ms + 30_000));
      }
    }
    return libraries.flatMap((library, at) => {
      const mine = results[at] ?? [];
      const perSecond = spreadOf(mine, (result) => result.perSecond);
      const peak = Math.max(...mine.map((result) => result.peak));
      return perSecond ? [{ library, perSecond, peak }] : [];
    });
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** What an emergency department asks for most: patient, allergies, medication, problems. */
const four = ['PAT', 'ALL', 'MED', 'PRB'] as const;

/** Map records of several sizes: a process each, so that none is measured in another's garbage. */
export async function measureMappings(repetitions: number, ms: number): Promise<MappingRow[]> {
  const files = publishedFiles.map((name) => join(published, name)).filter((at) => existsSync(at));
  const rows: MappingRow[] = [];
  const asked = [undefined, ...files].flatMap((file) => [
    { file, datasets: four },
    { file, datasets: undefined },
  ]);
  for (const { file, datasets } of asked) {
    const child = await startChild('mapping');
    try {
      const results: MappingResult[] = [];
      for (let repetition = 0; repetition < repetitions; repetition++) {
        const request: MappingRequest = { file, datasets, ms };
        results.push(await child.ask<MappingResult>(request, ms + 60_000));
      }
      const [parse, map, times] = [
        spreadOf(results, (result) => result.parse),
        spreadOf(results, (result) => result.map),
        spreadOf(results, (result) => result.map / result.parse),
      ];
      const name = file === undefined ? 'synthetic' : basename(file, '.json');
      const record = `${name}, ${datasets ? datasets.join(' ') : 'everything'}`;
      const part = datasets ? 'four' : 'everything';
      const { kilobytes = 0, segments = 0 } = results[0] ?? {};
      if (parse && map && times)
        rows.push({ record, part, kilobytes, segments, parse, map, times });
    } finally {
      await child.stop();
    }
  }
  return rows;
}
