/**
 * Threads that answer requests: one message there, one back, in order. A thread that dies is
 * started again by the next request; what it had not answered is rejected with ThreadGone.
 */
import { basename } from 'node:path';
import { Worker, parentPort } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { FaultError } from './faults.ts';
import type { Fault } from './faults.ts';

/** The thread ended before it answered: whether it did what was asked is not known. */
export class ThreadGone extends Error {
  override readonly name = 'ThreadGone';
}

export interface Thread<Request, Reply> {
  /** @throws FaultError as the thread gave it, or ThreadGone */
  call(request: Request, transfer?: TransferListItem[]): Promise<Reply>;
  /** End it at once. Ask it to finish its work before. */
  stop(): Promise<void>;
}

interface Waiting<Reply> {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

interface Answer<Reply> {
  value?: Reply;
  fault?: Fault;
}

/** What an error means to whoever asked: never its text, which could quote what was worked on. */
export type FaultOf = (error: unknown) => Fault;

/**
 * The file of a thread beside a module, as TypeScript or compiled.
 * @param beside `import.meta.url` of the module
 */
export function threadFile(name: string, beside: string): URL {
  return new URL(`./${name}.${beside.endsWith('.ts') ? 'ts' : 'js'}`, beside);
}

/**
 * @param file what the thread runs
 * @param data what the thread is given when it starts
 * @param faultOf what an error of the thread means
 * @param died called when it ends by itself
 */
export function createThread<Request, Reply>(
  file: URL,
  data: unknown,
  faultOf: FaultOf,
  died: (detail: string) => void,
): Thread<Request, Reply> {
  let worker: Worker | undefined;
  let waiting: Waiting<Reply>[] = [];
  let stopping = false;

  function start(): Worker {
    const started = new Worker(file, { workerData: data });
    let reason = 'ended';
    stopping = false;
    started.on('message', ({ value, fault }: Answer<Reply>) => {
      const first = waiting.shift();
      // An idle thread does not keep the process alive.
      if (waiting.length === 0) started.unref();
      if (fault) first?.reject(new FaultError(fault));
      else first?.resolve(value as Reply);
    });
    started.on('error', (error) => {
      reason = faultOf(error).detail ?? error.name;
    });
    started.on('exit', () => {
      const left = waiting;
      worker = undefined;
      waiting = [];
      if (!stopping) died(`${basename(file.pathname)}: ${reason}`);
      for (const { reject } of left) reject(new ThreadGone(reason));
    });
    return started;
  }

  return {
    call: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        worker.postMessage(request, transfer);
        worker.ref();
        waiting.push({ resolve, reject });
      }),
    async stop() {
      stopping = true;
      await worker?.terminate();
    },
  };
}

/** In the thread: answer each request with what `answer` returns or throws. */
export function answerRequests<Request, Reply>(
  answer: (request: Request) => Reply,
  faultOf: FaultOf,
): void {
  const port = parentPort;
  if (!port) throw new Error('answerRequests runs in a thread');
  port.on('message', (request: Request) => {
    let reply: Answer<Reply>;
    try {
      reply = { value: answer(request) };
    } catch (error) {
      reply = { fault: faultOf(error) };
    }
    port.postMessage(reply);
  });
}
