/**
 * Hours in which something is expected, such as `Mon-Fri 07:00-19:00, Sat 08:00-12:00`, as the clocks
 * of a time zone show them, over every change to and from summer time.
 */

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Some days of the week, from one time of the day to another. */
export interface HourRule {
  /** 0 is Sunday. */
  days: readonly number[];
  /** Minutes since midnight. */
  from: number;
  /** Where it is not after `from`, on the next day. */
  to: number;
}

/** A stretch of time, milliseconds since 1970. */
export interface Stretch {
  from: number;
  to: number;
}

const rule =
  /^(Sun|Mon|Tue|Wed|Thu|Fri|Sat)(?:-(Sun|Mon|Tue|Wed|Thu|Fri|Sat))? (\d\d):([0-5]\d)-(\d\d):([0-5]\d)$/;

/** Read hours. @returns undefined where they are not written so */
export function readHours(text: string): HourRule[] | undefined {
  const rules = text.split(/\s*,\s*/).map(readRule);
  return rules.every((one) => one !== undefined) ? rules : undefined;
}

function readRule(text: string): HourRule | undefined {
  const [, first = '', last = first, ...times] = rule.exec(text) ?? [];
  const [fromHour, fromMinute, toHour, toMinute] = times.map(Number);
  if (fromHour === undefined || toHour === undefined || fromHour > 23 || toHour > 24) return;
  const to = toHour * 60 + (toMinute ?? 0);
  if (to > 24 * 60) return;
  const days = [];
  const end = dayNames.indexOf(last as (typeof dayNames)[number]);
  for (let day = dayNames.indexOf(first as (typeof dayNames)[number]); ; day = (day + 1) % 7) {
    days.push(day);
    if (day === end) break;
  }
  return { days, from: fromHour * 60 + (fromMinute ?? 0), to };
}

/** How long these hours last at most without a break, milliseconds; two weeks for all the time. */
export function longestOf(hours: readonly HourRule[]): number {
  const lengths = stretches(hours, 'UTC', 0, 14 * dayMs).map(({ from, to }) => to - from);
  return Math.max(0, ...lengths);
}

/** Whether this machine knows a time zone of this name. */
export function isZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The stretches of these hours that touch the time from `since` to `until`, in order and joined where
 * they meet; none that is more than two weeks ago.
 */
export function stretches(
  hours: readonly HourRule[],
  zone: string,
  since: number,
  until: number,
): Stretch[] {
  const found: Stretch[] = [];
  // Days are told apart as the calendar of the zone has them, by a date in UTC of the same name.
  const last = Math.floor((until + offsetOf(zone, until)) / dayMs);
  const first = Math.floor((since + offsetOf(zone, since)) / dayMs) - 1;
  for (let day = Math.max(first, last - 15); day <= last; day++) {
    for (const { days, from, to } of hours) {
      if (!days.includes(new Date(day * dayMs).getUTCDay())) continue;
      const begins = instantOf(zone, day * dayMs + from * minuteMs);
      const ends = instantOf(zone, (to > from ? day : day + 1) * dayMs + to * minuteMs);
      if (begins < until && ends > since) found.push({ from: begins, to: ends });
    }
  }
  return joined(found.sort((a, b) => a.from - b.from));
}

function joined(sorted: readonly Stretch[]): Stretch[] {
  const all: Stretch[] = [];
  for (const one of sorted) {
    const before = all.at(-1);
    if (before && one.from <= before.to) before.to = Math.max(before.to, one.to);
    else all.push({ ...one });
  }
  return all;
}

/**
 * When a silence began that was longer than it may be: the last message, or the beginning of the
 * hours in which one was expected. It lasts until a message comes, also when the hours are over.
 * @param last when the last message came, or when the watch began
 * @returns undefined where all is well
 */
export function silentSince(
  expected: { within: number; hours: readonly HourRule[]; zone: string },
  last: number,
  now: number,
): number | undefined {
  for (const { from, to } of stretches(expected.hours, expected.zone, last, now)) {
    const began = Math.max(last, from);
    if (Math.min(now, to) - began > expected.within) return began;
  }
  return undefined;
}

/** The instant at which the clocks of a zone show a time, given as if it were UTC. */
function instantOf(zone: string, shown: number): number {
  const guess = shown - offsetOf(zone, shown);
  return shown - offsetOf(zone, guess);
}

/** How far the clocks of a zone are ahead of UTC at an instant, milliseconds. */
function offsetOf(zone: string, instant: number): number {
  const parts = Object.fromEntries(
    clockOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day, hour, minute, second } = parts;
  const shown = Date.UTC(year, month - 1, day, hour, minute, second);
  return shown - Math.floor(instant / 1000) * 1000;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError where the zone is not known */
function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    const numeric = 'numeric' as const;
    clock = new Intl.DateTimeFormat('en-GB', {
      ...{ timeZone: zone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    });
    clocks.set(zone, clock);
  }
  return clock;
}
