/** Deleting what its channel keeps no longer: once an hour, by age and by size. */
import type { Keep } from './config/keep.ts';
import type { Emit } from './events.ts';
import { FaultError, faults } from './faults.ts';
import type { Retention, Stored } from './journal/deletion.ts';

export interface RetentionOptions {
  journal: Retention;
  /** The channels as they are configured now. */
  channels(): readonly { channel: string; keep: Keep }[];
  emit: Emit;
  /** Microseconds since 1970. */
  now(): number;
}

const hourMs = 3_600_000;
const hourInMicroseconds = hourMs * 1000;

/** Apply retention now and each hour. @returns what ends it, also between two channels */
export function startRetention(options: RetentionOptions): () => void {
  const ending = new AbortController();
  const apply = (): void => void applyRetention(options, ending.signal);
  const timer = setInterval(apply, hourMs).unref();
  apply();
  return () => {
    clearInterval(timer);
    ending.abort();
  };
}

/** Apply what every channel says of how long it keeps messages. Never throws: its events tell. */
export async function applyRetention(
  options: RetentionOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { journal, emit } = options;
  for (const { channel, keep } of options.channels()) {
    if (signal?.aborted) return;
    try {
      const now = options.now();
      const ago = (ms: number | undefined): number => (ms === undefined ? 0 : now - ms * 1000);
      const bySize =
        keep.size === undefined ? 0 : beforeOfSize(await journal.stored(), channel, keep.size, now);
      const { exchanges, parked, undelivered } = await journal.forget(
        channel,
        Math.max(ago(keep.age), bySize),
        { parked: ago(keep.parked), undelivered: ago(keep.undelivered) },
      );
      if (exchanges > 0) emit('journal.forgotten', { channel, count: exchanges });
      if (parked + undelivered > 0) {
        const detail = `${parked} parked, ${undelivered} not delivered, beyond their own limits`;
        emit('journal.forgottenUndelivered', { channel, count: parked + undelivered, detail });
      }
    } catch (error) {
      // A journal that is being closed is no fault.
      if (signal?.aborted) return;
      const code = error instanceof FaultError ? faults[error.fault.name].code : undefined;
      emit('journal.fault', { channel, code, detail: 'retention' });
    }
  }
}

/**
 * The time before which a channel's messages are more than it may hold, to the hour; never within
 * the present one.
 */
function beforeOfSize(
  stored: readonly Stored[],
  channel: string,
  size: number,
  now: number,
): number {
  const hours = stored.find((one) => one.channel === channel)?.hours ?? [];
  const present = Math.floor(now / hourInMicroseconds);
  let bytes = 0;
  for (const one of hours.toReversed()) {
    bytes += one.bytes;
    if (bytes > size) return Math.min(one.hour + 1, present) * hourInMicroseconds;
  }
  return 0;
}
