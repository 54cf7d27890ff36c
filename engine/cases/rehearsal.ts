/**
 * A rehearsal: the cases of a site, played before an engine takes its configuration over. In a thread
 * of its own, so that the engine answers meanwhile, and reads every file of the site anew.
 */
import { Worker } from 'node:worker_threads';
import type { Finding } from '../config/findings.ts';
import { threadFile } from '../thread.ts';
import type { Difference } from './compare.ts';

/** What came of it. */
export interface Rehearsal {
  /** Of the files that were played. */
  revision: string;
  /** What is wrong with the configuration, or with a case; then none is played. */
  findings: Finding[];
  played: number;
  failed: { file: string; title: string; differences: (Difference & { section: string })[] }[];
}

/**
 * Play all cases of a site.
 * @throws Error where the thread ended before it was done
 */
export function rehearse(root: string): Promise<Rehearsal> {
  const file = threadFile('rehearsal-thread', import.meta.url);
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: { root } });
    worker.once('message', (rehearsal: Rehearsal) => {
      resolve(rehearsal);
      void worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the rehearsal ended before it was done')));
  });
}
