/** The thread in which the cases of a site are played before it is applied. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError, shortPath } from '../config/findings.ts';
import { loadSite } from '../config/site.ts';
import { readCase } from './case.ts';
import { allCases, patientsOf } from './files.ts';
import { playCases } from './play.ts';
import type { Rehearsal } from './rehearsal.ts';

const { root } = workerData as { root: string };
parentPort?.postMessage(await rehearsed());

async function rehearsed(): Promise<Rehearsal> {
  const { revision, channels, findings } = loadSite(root);
  const told = { revision, findings, played: 0, failed: [] };
  if (findings.some(({ severity }) => severity === 'error')) return told;
  try {
    const stories = allCases(root).map((file) => readCase(file));
    const played = await playCases(stories, channels, patientsOf(root));
    const failed = played
      .filter(({ differences }) => differences.length > 0)
      .map(({ story: { file, title }, differences }) => {
        return { file: shortPath(file), title, differences };
      });
    return { ...told, played: played.length, failed };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...told, findings: [...findings, ...error.findings] };
  }
}
