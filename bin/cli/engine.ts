/** Asking the running engine, with its refusals as errors of a command. */
import { type Asks, engineIn } from '../../engine/control/client.ts';
import { Refusal, type RefusalStatus } from '../../engine/control/refusal.ts';
import { exits } from './exits.ts';
import { CommandError } from './output.ts';

const exitOf: Readonly<Record<RefusalStatus, number>> = {
  400: exits.usage,
  404: exits.notFound,
  409: exits.failed,
  500: exits.failed,
  501: exits.failed,
  503: exits.unavailable,
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
  };
}

function refused(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  throw new CommandError(error.message, error.next, exitOf[error.status]);
}
