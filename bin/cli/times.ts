/** Times as commands show them. */

/** ISO 8601 of microseconds since 1970. */
export const time = (us: number): string => new Date(us / 1000).toISOString();

/** How long ago, in its two largest units: `3d 4h`, `12m 5s`. */
export function age(us: number, now = Date.now()): string {
  return lasting(Math.max(0, now - us / 1000));
}

/** How long from now; `now` where the time has come. */
export function inTime(us: number, now = Date.now()): string {
  const ms = us / 1000 - now;
  return ms <= 0 ? 'now' : `in ${lasting(ms)}`;
}

function lasting(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return '0s';
  const shown = parts.slice(first, first + 2).filter(([n]) => n > 0);
  return shown.map(([n, unit]) => `${n}${unit}`).join(' ');
}
