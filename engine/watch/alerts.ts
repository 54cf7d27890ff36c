/**
 * What is told, and how often: a condition is raised once, repeated while it lasts, and cleared once.
 * Kept in memory: after a restart what still holds is raised anew.
 */
import type { ConditionName, Finding } from './conditions.ts';

/** A condition that holds, with its history. Times are milliseconds since 1970. */
export interface Alert extends Finding {
  since: number;
  /** When somebody was told last. */
  told: number;
}

export interface Notice {
  event: 'raised' | 'repeated' | 'cleared';
  alert: Alert;
}

export interface Alerts {
  /** Take what holds now. @returns what is to be told */
  take(findings: readonly Finding[], now: number): Notice[];
  /** What holds, the oldest first. */
  all(): Alert[];
}

/** @param repeatMs after how long a condition that lasts is told again; asked each time */
export function createAlerts(repeatMs: () => number): Alerts {
  const held = new Map<string, Alert>();
  const key = ({ condition, subject }: { condition: ConditionName; subject: string }) =>
    `${condition} ${subject}`;
  return {
    take(findings, now) {
      const notices: Notice[] = [];
      const still = new Set(findings.map(key));
      for (const [name, alert] of held) {
        if (still.has(name)) continue;
        held.delete(name);
        notices.push({ event: 'cleared', alert });
      }
      for (const finding of findings) {
        const before = held.get(key(finding));
        const due = before === undefined || now - before.told >= repeatMs();
        const since = before?.since ?? now;
        const alert = { ...finding, since, told: due ? now : before.told };
        held.set(key(finding), alert);
        if (due) notices.push({ event: before ? 'repeated' : 'raised', alert });
      }
      return notices;
    },
    all: () => [...held.values()].sort((a, b) => a.since - b.since),
  };
}
