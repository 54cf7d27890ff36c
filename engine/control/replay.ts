/** Routes to send stored messages again: as they are, or edited. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { FaultError, faultByCode, faults } from '../faults.ts';
import { exchangeName } from '../journal/journal.ts';
import { type Candidate, type Refused, candidates } from './candidates.ts';
import { editing, edited } from './edit.ts';
import { overtaking } from './lineage.ts';
import { person } from './operator.ts';
import { fullName } from './queues.ts';
import { type Person, resend } from './resend.ts';
import { type Route, route } from './router.ts';

/** One message of a replay, as `gatehouse message replay` shows it. */
export interface ReplayRow {
  id: string;
  /** Destinations it goes to. */
  to: readonly string[];
  from?: 'start' | 'failed';
  /**
   * `ready`: a dry run found nothing against it. `superseded`: a newer message with the same key
   * was delivered, or is on its way. `rejected`: the channel did not take it.
   */
  outcome: 'ready' | 'replayed' | 'superseded' | 'refused' | 'rejected' | 'failed';
  why?: string;
  /** The new exchange. */
  as?: string;
}

const asked = z.strictObject({
  ids: z.array(z.string()).max(1000).default([]),
  fault: z.string().optional(),
  to: z.string().optional(),
  from: z.enum(['start', 'failed']).optional(),
  includeSuperseded: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  ...person,
});

/** The routes of `gatehouse message replay` and `gatehouse message edit`. */
export function replayRoutes(engine: Engine, emit: Emit): Route[] {
  let busy: Promise<unknown> = Promise.resolve();
  /** One after the other, or the same dead letter could be sent twice. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(work);
    busy = done.catch(() => undefined);
    return done;
  };

  async function run(input: z.output<typeof asked>, act: Person['act'], bytes?: Uint8Array) {
    const to = input.to === undefined ? undefined : fullName([...engine.queues.keys()], input.to);
    const { found, more } = await candidates(engine, { ...input, to }, bytes);
    const ready = found.filter((one): one is Candidate => !('refused' in one));
    const overtaken = overtaking(
      input.includeSuperseded ? [] : ready,
      engine.channels,
      engine.journal,
    );
    const who: Person = { act, by: input.by, reason: input.reason };
    const rows: ReplayRow[] = [];
    for (const one of found) {
      if ('refused' in one) rows.push(refusedRow(one));
      // Looked at once more for each, for messages come in while this goes on.
      else if ((await overtaken()).has(one.exchange))
        rows.push({ ...readyRow(one), outcome: 'superseded' });
      else rows.push(input.dryRun ? readyRow(one) : await sent(one, who));
    }
    const count = rows.filter(({ outcome }) => outcome === 'replayed').length;
    if (count > 0) emit('control.acted', { step: act, count });
    return { rows, more };
  }

  async function sent(one: Candidate, who: Person): Promise<ReplayRow> {
    try {
      const { as, state, fault } = await resend(engine, one, who);
      const outcome = state === 'answered' ? 'replayed' : 'rejected';
      return {
        ...readyRow(one),
        outcome,
        as: exchangeName(as),
        ...(fault && { why: told(fault) }),
      };
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { ...readyRow(one), outcome: 'failed', why: told(faults[error.fault.name].code) };
    }
  }

  return [
    route('POST', '/v1/replay', asked, async (input) => {
      return { body: await alone(() => run(input, 'replay')) };
    }),
    route('POST', '/v1/edit', editing, async ({ id, set, message, newId, ...rest }) => {
      const made = await edited(engine, { id, set, message, newId });
      const replay = await alone(() => run({ ids: [id], ...rest }, 'edit', made.bytes));
      return { body: { ...replay, differences: made.differences } };
    }),
  ];
}

const told = (code: string) => `${code} ${faultByCode(code)?.says ?? ''}`;

function readyRow({ exchange, to, from }: Candidate): ReplayRow {
  return { id: exchangeName(exchange), to, from, outcome: 'ready' };
}

function refusedRow({ exchange, refused: why }: Refused): ReplayRow {
  return { id: exchangeName(exchange), to: [], outcome: 'refused', why };
}
