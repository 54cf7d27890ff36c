/**
 * How a connection stands, as a statechart (xstate): what its peer does, and what we decided. Only
 * an `open` or `deaf` one takes frames; from `closing` on nothing more is taken or written.
 *
 *     open ⇄ deaf → closing → closed → over
 */
import { createActor, createMachine } from 'xstate';

const machine = createMachine({
  id: 'connection',
  initial: 'open',
  states: {
    open: { on: { blocked: 'deaf', hangsUp: 'closing', closed: 'closed' } },
    // The peer does not take what is written to it.
    deaf: { on: { drained: 'open', hangsUp: 'closing', closed: 'closed' } },
    // Our side is closed; the peer may still read, and has to close its own.
    closing: { on: { closed: 'closed' } },
    // Both sides are; answers are still being made, and will not be delivered.
    closed: { on: { settled: 'over' } },
    over: { type: 'final' },
  },
});

export type Stage = 'open' | 'deaf' | 'closing' | 'closed' | 'over';
export type StandingEvent = 'blocked' | 'drained' | 'hangsUp' | 'closed' | 'settled';

export interface Standing {
  stage(): Stage;
  /** @returns whether it stands otherwise now */
  tell(event: StandingEvent): boolean;
}

/** A new connection: open. */
export function createStanding(): Standing {
  const actor = createActor(machine).start();
  // Asked for each chunk, told a few times in a connection's life.
  let stage: Stage = 'open';
  return {
    stage: () => stage,
    tell(event) {
      const before = stage;
      actor.send({ type: event });
      stage = actor.getSnapshot().value as Stage;
      return stage !== before;
    },
  };
}
