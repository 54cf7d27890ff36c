/**
 * Every condition that is watched: what it is called, how grave it is and the one next step. The
 * same conditions are log events, metrics, lines of `gatehouse status` and notices.
 */
import { silentSince } from '../config/hours.ts';
import type { Settings } from '../config/settings.ts';
import type { Observed, ObservedChannel, ObservedDestination } from './observed.ts';
import { age, amount } from './words.ts';

export type Severity = 'warning' | 'error';

/** Declared once; the reference page is made of it. */
export const conditions = {
  'channel.waiting': {
    severity: 'error',
    says: 'another process holds the port of a channel; it is tried again',
    next: 'gatehouse doctor names the process that holds it; end it, or change listen in the channel',
  },
  'channel.paused': {
    severity: 'warning',
    says: 'a person paused a channel: it takes nothing, and what it owes is delivered',
    next: 'gatehouse channel start, once the reason has passed',
  },
  'channel.stopped': {
    severity: 'warning',
    says: 'a person stopped a channel: it takes nothing and delivers nothing',
    next: 'gatehouse channel start, once the reason has passed',
  },
  'channel.silent': {
    severity: 'error',
    says: 'a channel was sent nothing for longer than its `expects` allows',
    next: 'look whether the sender is connected: gatehouse status; then ask its people',
  },
  'destination.down': {
    severity: 'error',
    says: 'a destination cannot be reached, or does not answer, for longer than `alerts.down`',
    next: 'gatehouse queue show',
  },
  'destination.halted': {
    severity: 'error',
    says: 'a destination refused a message, and its `refused` says to halt',
    next: 'gatehouse queue show; mend the cause, then gatehouse queue release',
  },
  'destination.depth': {
    severity: 'warning',
    says: 'more messages wait for a destination than `alerts.depth`',
    next: 'gatehouse queue show',
  },
  'destination.age': {
    severity: 'error',
    says: 'a message has waited for a destination for longer than `alerts.age`',
    next: 'gatehouse queue show',
  },
  'destination.parked': {
    severity: 'warning',
    says: 'there are as many dead letters for a destination as `alerts.parked`',
    next: 'gatehouse message list --state parked',
  },
  'destination.removed': {
    severity: 'error',
    says: 'messages are owed to a destination that no channel delivers to any more',
    next: 'put it back into the channel, or skip them: gatehouse queue list',
  },
  'system.failing': {
    severity: 'error',
    says: 'PDS, SDS or a GP system failed five times in a row',
    next: 'gatehouse message list --since 15m; then gatehouse message explain',
  },
  'certificate.expiring': {
    severity: 'warning',
    says: 'a certificate in use, of ours or of a connected client, ends within `alerts.certificates`',
    next: 'renew it, then: gatehouse cert rotate (gatehouse cert list names it)',
  },
  'certificate.expired': {
    severity: 'error',
    says: 'a certificate in use is past its last day, or cannot be read',
    next: 'renew it, then: gatehouse cert rotate (gatehouse cert list names it)',
  },
  'disk.low': {
    severity: 'error',
    says: 'the data folder has less free space than `alerts.disk`',
    next: 'free disk space, or shorten keep in the channels',
  },
  'journal.failing': {
    severity: 'error',
    says: 'the journal failed within the last five minutes; what could not be stored was not accepted',
    next: 'check the disk and the log; gatehouse explain tells of the code',
  },
  'config.refused': {
    severity: 'error',
    says: 'the last change of the configuration was refused; the one before it runs on',
    next: 'gatehouse check',
  },
} as const satisfies Record<string, { severity: Severity; says: string; next: string }>;

export type ConditionName = keyof typeof conditions;

/** A condition that holds, about one thing. Holds names, counts and times; never patient data. */
export interface Finding {
  condition: ConditionName;
  /** A channel, a destination, a certificate, a folder. */
  subject: string;
  severity: Severity;
  says: string;
  next: string;
}

/** How long a failure of the journal is told of. */
const journalMs = 300_000;

/** What is wrong with what was seen. @param limits those of the site */
export function findingsOf(seen: Observed, limits: Settings['alerts']): Finding[] {
  const { at, systems, certificates, disk, journal, refused } = seen;
  const found = [
    ...seen.channels.flatMap((one) => [...ofChannel(one, at)]),
    ...seen.destinations.flatMap((one) => [...ofDestination(one, at)]),
  ];
  for (const { name, state, failures, since } of systems) {
    if (state !== 'failing') continue;
    found.push(finding('system.failing', name, `failed ${failures} times since ${time(since)}`));
  }
  for (const { subject, until } of certificates) {
    if (until === null) {
      found.push(finding('certificate.expired', subject, 'cannot be read'));
    } else if (until <= at) {
      found.push(finding('certificate.expired', subject, `ended ${age(at - until)} ago`));
    } else if (until - at < limits.certificates) {
      found.push(finding('certificate.expiring', subject, `ends in ${age(until - at)}`));
    }
  }
  if (disk && disk.free < limits.disk) {
    found.push(finding('disk.low', disk.folder, `${amount(disk.free)} are free`));
  }
  if (journal.failed && at - journal.failed.at < journalMs) {
    const { at: when, code } = journal.failed;
    found.push(finding('journal.failing', 'journal', `${code} at ${time(when)}`));
  }
  if (refused) {
    found.push(
      finding('config.refused', 'configuration', `${refused.detail} at ${time(refused.at)}`),
    );
  }
  return found;
}

function* ofChannel(one: ObservedChannel, at: number): Generator<Finding> {
  const { channel, host, port, state, suspended, last, since, expects } = one;
  if (suspended) {
    const { how, by, since: from } = suspended;
    yield finding(`channel.${how}`, channel, `by ${by} since ${time(Date.parse(from))}`);
    return;
  }
  if (state === 'waiting') {
    yield finding('channel.waiting', channel, `port ${host}:${port} is held by another process`);
  }
  const silent = expects && silentSince(expects, Math.max(last ?? 0, since), at);
  if (silent !== undefined) {
    yield finding('channel.silent', channel, `nothing received since ${time(silent)}`);
  }
}

function* ofDestination(one: ObservedDestination, at: number): Generator<Finding> {
  const { to, state, depth, more, oldest, downSince, fault, parked, limits } = one;
  if (state === 'removed' && depth > 0) {
    yield finding('destination.removed', to, `${depth} messages are owed to it`);
  }
  if (!limits) return;
  if (state === 'halted') yield finding('destination.halted', to, fault ?? 'halted');
  if (downSince !== null && at - downSince > limits.down) {
    yield finding('destination.down', to, `${fault ?? 'down'} since ${time(downSince)}`);
  }
  if (depth > limits.depth) {
    yield finding('destination.depth', to, `${more ? 'at least ' : ''}${depth} messages wait`);
  }
  if (oldest !== null && at - oldest > limits.age) {
    yield finding('destination.age', to, `a message waits since ${time(oldest)}`);
  }
  if (limits.parked > 0 && parked >= limits.parked) {
    yield finding('destination.parked', to, `${parked} dead letters`);
  }
}

function finding(condition: ConditionName, subject: string, says: string): Finding {
  const { severity, next } = conditions[condition];
  return { condition, subject, severity, says, next };
}

/** To the second: what is told again and again must not change with each look. */
const time = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
