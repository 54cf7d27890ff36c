/**
 * A destination that cannot be reached, or does not answer: all its messages wait, and after each
 * wait one of them finds out whether it is back. The waits grow up to a bound and never end.
 */
import { type Fault, faults } from '../faults.ts';
import { backoffMs, createTimers } from './backoff.ts';
import type { Health } from './health.ts';
import type { QueueOptions } from './outbound.ts';

export interface Outage {
  /** It failed as a whole. Of several messages that were under way, the first decides the wait. */
  failed(fault: Fault): void;
  /** It answered. */
  over(): void;
  /** Try at once. */
  hasten(): void;
  isOn(): boolean;
  /** When it is tried again, microseconds since 1970. */
  nextTry(): number | undefined;
  /** Wait no more, for the queue stops. */
  clear(): void;
}

/** @param resume called when a message may try */
export function createOutage(
  options: Pick<QueueOptions, 'to' | 'backoff' | 'emit' | 'now'> & { random: () => number },
  health: Health,
  resume: () => void,
): Outage {
  const { to, backoff, emit, now, random } = options;
  const timers = createTimers();
  /** Failures in a row. */
  let failures = 0;
  let nextTry: number | undefined;
  let cancel = (): void => {};

  function hasten(): void {
    cancel();
    nextTry = undefined;
    health.tell('tries');
    resume();
  }

  return {
    failed(fault) {
      // Where a person held and released it meanwhile, it is down again.
      if (nextTry !== undefined) return void health.tell('failed');
      failures += 1;
      const ms = backoffMs(backoff, failures, random());
      nextTry = now() + ms * 1000;
      const { code } = faults[fault.name];
      if (health.tell('failed')) emit('destination.down', { endpoint: to, code, ms });
      cancel = timers.after(ms, hasten);
    },
    over() {
      if (failures === 0) return;
      failures = 0;
      emit('destination.up', { endpoint: to });
      // Another message found it down and made all wait.
      if (nextTry !== undefined) hasten();
    },
    hasten,
    isOn: () => failures > 0,
    nextTry: () => nextTry,
    clear: () => timers.close(),
  };
}
