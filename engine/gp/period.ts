/** The dates of a query as GP Connect takes them: whole days, both included; a missing one is open. */
import type { RecordRequest } from './port.ts';

export interface Period {
  /** `YYYY-MM-DD` */
  start?: string;
  end?: string;
}

/** The period asked for; empty where a date is no whole day, or they are not in their order. */
export function periodOf({ from, to }: Pick<RecordRequest, 'from' | 'to'>): Period {
  const whole = (date: string | undefined) =>
    date !== undefined && /^\d{4}-\d\d-\d\d$/.test(date) ? date : undefined;
  const [start, end] = [whole(from), whole(to)];
  if (start && end && start > end) return {};
  return { ...(start && { start }), ...(end && { end }) };
}

/** `before 2025-01-01 and after 2025-06-30`: what lies outside; undefined for an open period. */
export function outsideOf({ start, end }: Period): string | undefined {
  const words = [start && `before ${start}`, end && `after ${end}`].filter(Boolean).join(' and ');
  return words === '' ? undefined : words;
}
