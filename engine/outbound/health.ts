/**
 * The state of a destination, as a statechart (xstate): what happened to its deliveries, and what
 * a person decided. Only `idle` and `delivering` send.
 */
import { createActor, createMachine } from 'xstate';
import type { QueueStatus } from './outbound.ts';

const machine = createMachine({
  id: 'destination',
  initial: 'idle',
  states: {
    // Something may still be under way from before it was held and released.
    idle: { on: { sends: 'delivering', failed: 'down', refused: 'halted' } },
    delivering: { on: { emptied: 'idle', failed: 'down', refused: 'halted' } },
    // Nothing is sent until it is tried again, however much comes in.
    down: { on: { tries: 'delivering', failed: 'down' } },
    // A message the policy does not pass over; a person has to look at it.
    halted: { on: { released: 'idle' } },
    held: { on: { released: 'idle' } },
    stopped: { type: 'final' },
  },
  on: { held: '.held', stopped: '.stopped' },
});

export type HealthEvent =
  'sends' | 'emptied' | 'failed' | 'tries' | 'refused' | 'held' | 'released' | 'stopped';

export interface Health {
  state(): QueueStatus['state'];
  /** @returns whether the state is another one now */
  tell(event: HealthEvent): boolean;
}

export function createHealth(): Health {
  const actor = createActor(machine).start();
  const state = () => actor.getSnapshot().value as QueueStatus['state'];
  return {
    state,
    tell(event) {
      const before = state();
      actor.send({ type: event });
      return state() !== before;
    },
  };
}
