/** The clock of the engine. */

let offset = 0;
let last = 0;

/**
 * Microseconds since 1970, never backwards and never the same twice within one process. It follows
 * the wall clock, which the monotonic one leaves behind when the machine's time is corrected.
 */
export function microseconds(): number {
  const steady = performance.now() * 1000;
  const wall = Date.now() * 1000;
  if (Math.abs(offset + steady - wall) > 5000) offset = wall - steady;
  last = Math.max(last + 1, Math.round(offset + steady));
  return last;
}
