/** The threads of the journal: the writer and the indexer. */
import * as threads from '../thread.ts';
import type { Thread } from '../thread.ts';
import { faultOf } from './database.ts';

export { ThreadGone } from '../thread.ts';
export type { Thread } from '../thread.ts';

/** The file of a thread of the journal. */
export const threadFile = (name: 'writer' | 'indexer'): URL =>
  threads.threadFile(name, import.meta.url);

/**
 * @param file what the thread runs
 * @param data what the thread is given when it starts
 * @param died called when it ends by itself
 */
export function createThread<Request, Reply>(
  file: URL,
  data: unknown,
  died: (detail: string) => void,
): Thread<Request, Reply> {
  return threads.createThread(file, data, faultOf, died);
}

/** In the thread: answer each request with what `answer` returns or throws. */
export function answerRequests<Request, Reply>(answer: (request: Request) => Reply): void {
  threads.answerRequests(answer, faultOf);
}
