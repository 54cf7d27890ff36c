/** Asking the running engine, with its refusals as errors of a command. */
import { type Asks, engineIn } from '../../engine/control/client.ts';
import { NoEngine, Refusal, type RefusalStatus } from '../../engine/control/refusal.ts';
import type { ErrorName } from './errors.ts';
import { CommandError } from './output.ts';

const kindOf: Readonly<Record<RefusalStatus, ErrorName>> = {
  400: 'calledWrongly',
  404: 'notFound',
  409: 'failed',
  500: 'failed',
  501: 'failed',
  503: 'unavailable',
};

/**
 * The engine that runs on a journal.
 * @returns functions that throw CommandError: exit 69 where none runs
 */
export function runningEngine(options: { data: string }): Asks {
  const engine = engineIn(options.data);
  return {
    get: (...of) => engine.get<never>(...of).catch(refused),
    post: (...of) => engine.post<never>(...of).catch(refused),
    text: (path) => engine.text(path).catch(refused),
    lines: (...of) => engine.lines<never>(...of).catch(refused),
  };
}

function refused(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const kind = error instanceof NoEngine ? 'noEngine' : kindOf[error.status];
  throw new CommandError(error.message, error.next, kind);
}
