/**
 * The log: every event as a JSON line. Apart from the names of the events, so that what logs nothing
 * (a command) starts without a logger.
 */
import { pino } from 'pino';
import { type Emit, type EventName, type Level, levels } from './events.ts';

export interface Events {
  emit: Emit;
  /** How often each event happened since the start. */
  counts(): Partial<Record<EventName, number>>;
}

/**
 * Events written as JSON lines.
 * @param options.level lowest level written (`silent` writes none); counters always count
 * @param options.destination a file descriptor; standard error unless told (stdout is for data)
 */
export function createEvents(
  options: { level?: Level | 'silent'; destination?: number } = {},
): Events {
  const log = pino(
    { level: options.level ?? 'info', base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: options.destination ?? 2, sync: true }),
  );
  const counts: Partial<Record<EventName, number>> = {};
  return {
    emit(name, fields) {
      counts[name] = (counts[name] ?? 0) + 1;
      const level = levels[name];
      if (log.isLevelEnabled(level)) log[level](fields ?? {}, name);
    },
    counts: () => ({ ...counts }),
  };
}
