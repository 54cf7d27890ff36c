/** Routes to look at the configuration that runs, to rehearse another one, and to apply it. */
import { z } from 'zod';
import { rehearse } from '../cases/rehearsal.ts';
import { ConfigError } from '../config/findings.ts';
import { revisionOf } from '../config/revision.ts';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { FaultError } from '../faults.ts';
import { person } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

/** What runs, and where its files are. */
export interface RunningConfig {
  root: string;
  revision: string;
}

const nothing = z.strictObject({});

const order = z.strictObject({
  ...person,
  how: z.enum(['apply', 'rollback']).default('apply'),
  /** The files are applied only if they are these. */
  revision: z.string().optional(),
});

/** The routes of `gatehouse config`. */
export function configRoutes({ site, reload, revisions }: Engine, emit: Emit): Route[] {
  return [
    route('GET', '/v1/config', nothing, () => {
      const { root, revision } = site();
      return { body: { root, revision } satisfies RunningConfig };
    }),
    route('POST', '/v1/config/rehearse', nothing, async () => ({
      body: await rehearse(site().root),
    })),
    route('POST', '/v1/config/apply', order, async ({ by, reason, how, revision }) => {
      if (revision !== undefined && revisionOf(site().root) !== revision) {
        const says = 'the files of the site are others than those that were looked at';
        throw new Refusal(409, says, 'look again: gatehouse config apply');
      }
      try {
        const applied = await reload();
        emit('control.acted', { step: how, revision: applied.revision, detail: by });
        const isNew = applied.revision !== applied.before;
        const at = new Date().toISOString();
        if (isNew || reason) revisions?.record({ at, revision: applied.revision, how, by, reason });
        return { body: { applied, findings: [] } };
      } catch (error) {
        // What is wrong is told as "gatehouse check" tells it.
        if (error instanceof ConfigError) return { body: { findings: error.findings } };
        if (error instanceof FaultError && error.fault.name === 'portBusy') {
          const says = `another process holds ${error.fault.detail}; nothing was changed`;
          throw new Refusal(409, says, 'gatehouse doctor names it: end it, or change listen');
        }
        throw error;
      }
    }),
  ];
}
