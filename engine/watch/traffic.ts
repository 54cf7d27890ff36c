/**
 * What the events tell of systems that cannot be looked at: whether what is asked answers, since when
 * a destination cannot be reached, and when the journal failed last.
 */
import type { Emit } from '../events.ts';
import { createHealth } from '../outbound/health.ts';
import type { ObservedSystem } from './observed.ts';

/** So many failures in a row are no accident. */
const failuresTold = 5;

export interface Traffic {
  /** To be told of every event. */
  hear: Emit;
  systems(): ObservedSystem[];
  /** Since when a destination cannot be reached, milliseconds since 1970. */
  downSince(to: string): number | null;
  /** A destination that is at rest, or gone, is not down. */
  atRest(to: string): void;
  journalFailed(): { at: number; code: string } | null;
  /** The last change of the configuration, where it was refused. */
  refused(): { at: number; detail: string } | null;
  /** Forget systems that are asked no more. */
  keep(channels: ReadonlySet<string>): void;
}

/** @param now milliseconds since 1970 */
export function createTraffic(now: () => number = Date.now): Traffic {
  const systems = new Map<string, ReturnType<typeof createSystem>>();
  const down = new Map<string, number>();
  let failed: { at: number; code: string } | null = null;
  let refused: { at: number; detail: string } | null = null;

  return {
    hear(name, fields = {}) {
      switch (name) {
        case 'gp.replied': {
          const { channel = '', endpoint = '', status, bytes } = fields;
          const key = `${channel}/${endpoint}`;
          const system = systems.get(key) ?? createSystem(now);
          systems.set(key, system);
          // Without a status it speaks HL7 v2, and answered if anything came back.
          system.told(bytes !== undefined && (status ?? 200) < 500);
          return;
        }
        case 'destination.down':
          if (!down.has(fields.endpoint ?? '')) down.set(fields.endpoint ?? '', now());
          return;
        case 'destination.up':
          down.delete(fields.endpoint ?? '');
          return;
        case 'journal.fault':
          failed = { at: now(), code: fields.code ?? '' };
          return;
        case 'config.refused':
          refused = { at: now(), detail: fields.detail ?? 'refused' };
          return;
        case 'config.applied':
          refused = null;
      }
    },
    systems: () => Array.from(systems, ([name, system]) => ({ name, ...system.status() })),
    downSince: (to) => down.get(to) ?? null,
    atRest: (to) => void down.delete(to),
    journalFailed: () => failed,
    refused: () => refused,
    keep(channels) {
      for (const name of systems.keys()) {
        if (!channels.has(name.slice(0, name.indexOf('/')))) systems.delete(name);
      }
    },
  };
}

/** A system that is asked has the same states as one that is delivered to, and no queue. */
function createSystem(now: () => number) {
  const health = createHealth();
  let failures = 0;
  let since = now();
  return {
    told(answered: boolean) {
      if (!answered && failures === 0) since = now();
      failures = answered ? 0 : failures + 1;
      if (failures >= failuresTold) {
        health.tell('sends');
        health.tell('failed');
      } else if (answered && health.state() === 'down') {
        health.tell('tries');
        health.tell('emptied');
        since = now();
      }
    },
    status: () => {
      const state = health.state() === 'down' ? ('failing' as const) : ('answers' as const);
      return { state, failures, since };
    },
  };
}
