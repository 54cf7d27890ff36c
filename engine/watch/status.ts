/** What `gatehouse status` tells: everything that is seen of an engine, at one moment. */
import type { Journal } from '../journal/journal.ts';
import type { Alert } from './alerts.ts';
import type { Observed } from './observed.ts';

/** Times are milliseconds since 1970. */
export interface Status extends Omit<Observed, 'journal' | 'refused'> {
  engine: {
    version: string;
    pid: number;
    started: number;
    /** Of the configuration that runs. */
    revision: string;
    /** Arrivals that are finished under an earlier one. */
    finishing: number;
    health: { host: string; port: number | null } | null;
  };
  alerts: Alert[];
  journal: Observed['journal'] & {
    exchanges: number;
    bytes: number;
    oldest: number | null;
    unindexed: number;
  };
}

export async function statusOf(
  engine: Status['engine'],
  look: { seen: Observed; alerts: Alert[] },
  journal: Pick<Journal, 'stats'>,
): Promise<Status> {
  const { exchanges, bytes, oldest, unindexed } = await journal.stats();
  const { at, channels, destinations, systems, certificates, disk } = look.seen;
  return {
    engine,
    ...{ at, channels, destinations, systems, certificates, disk },
    alerts: look.alerts,
    journal: {
      ...look.seen.journal,
      ...{ exchanges, bytes, oldest: oldest === null ? null : oldest / 1000, unindexed },
    },
  };
}
