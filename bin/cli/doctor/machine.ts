/** What the doctor looks at of the machine: Node, SQLite, disk, file descriptors and clock. */
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Site } from '../../../engine/config/site.ts';
import { openInMemory } from '../../../engine/journal/database.ts';
import { age, amount } from '../../../engine/watch/words.ts';
import { type Check, sound, wrong } from './check.ts';

/** The version everything is tested with, and whether SQLite can be used from it. */
export function ofNode(): Check[] {
  const { node } = process.versions;
  const major = Number(node.split('.')[0]);
  const found =
    major >= 24
      ? sound('node', `Node ${node}`)
      : wrong('node', `Node ${node}; Gatehouse is tested with 24`, 'install Node 24');
  const load = createRequire(import.meta.url);
  const { version } = load('better-sqlite3/package.json') as { version: string };
  const database = openInMemory();
  try {
    const sqlite = database.prepare<[], string>('select sqlite_version()').pluck().get();
    return [found, sound('sqlite', `better-sqlite3 ${version} with SQLite ${sqlite}`)];
  } finally {
    database.close();
  }
}

/** Free space of the data folder. @param limit that of the site's alerts, bytes */
export async function ofDisk(folder: string, limit: number): Promise<Check> {
  const { bavail, blocks, bsize } = await statfs(folder);
  const [free, total] = [bavail * bsize, blocks * bsize];
  const says = `${amount(free)} of ${amount(total)} free for ${folder}`;
  return free >= limit
    ? sound('disk', says)
    : wrong('disk', `${says}; alerts.disk is ${amount(limit)}`, 'free space, or shorten keep');
}

/** Files a process needs beside its connections: databases, logs, libraries. */
const besideConnections = 100;

/**
 * Whether as many files may be open as the site's connections need.
 * @param pid the engine's, where one runs; else a process started as this one was
 */
export function ofFiles({ channels }: Pick<Site, 'channels'>, pid: number | undefined): Check {
  const needed = channels.reduce((sum, { channel }) => {
    const out = Object.values(channel.destinations).map((one) =>
      'connections' in one ? one.connections : 1,
    );
    return out.reduce((all, n) => all + n, sum + channel.limits.connections);
  }, besideConnections);
  const limit = openFilesOf(pid);
  if (limit === undefined) return sound('files', 'how many may be open is not told on this system');
  const whose = pid === undefined ? '' : ` by pid ${pid}`;
  const says = `${limit === Infinity ? 'any number of' : limit} files may be open${whose}; the site needs ${needed} at most`;
  return limit >= needed
    ? sound('files', says)
    : wrong('files', says, `raise the limit: LimitNOFILE=${needed * 2} in the systemd unit`);
}

/** The soft limit of a process on open files; Linux alone tells. */
function openFilesOf(pid: number | undefined): number | undefined {
  try {
    const limits = readFileSync(`/proc/${pid ?? 'self'}/limits`, 'utf8');
    const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
    return soft === 'unlimited' ? Infinity : soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** There while systemd-timesyncd runs, and once it has set the clock. */
const timesync = '/run/systemd/timesync';

/** Whether the clock can be right. @param newest the newest exchange stored, milliseconds since 1970 */
export function ofClock(newest: number | undefined): Check {
  const now = Date.now();
  const says = `${new Date(now).toISOString()}, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  if (newest !== undefined && newest > now + 1000) {
    const ahead = `${says}: the newest message stored came ${age(newest - now)} later`;
    return wrong('clock', ahead, 'set the clock; until it has caught up, ids run ahead of it');
  }
  if (existsSync(timesync) && !existsSync(`${timesync}/synchronized`)) {
    return wrong('clock', `${says}: not synchronised`, 'timedatectl timesync-status');
  }
  return sound('clock', says);
}
