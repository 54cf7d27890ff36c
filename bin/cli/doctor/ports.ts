/** What the doctor looks at of ports: whether each can be listened on, and who holds it. */
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import type { Site } from '../../../engine/config/site.ts';
import { type Check, sound, wrong } from './check.ts';

/** A port that the site listens on. */
interface Wanted {
  /** `port gp-record` */
  check: string;
  host: string;
  port: number;
}

/**
 * Whether the ports of a site are open by its engine, or free for it.
 * @param engine pid of the engine that runs, if one does
 */
export async function ofPorts(site: Site, engine: number | undefined): Promise<Check[]> {
  const { health } = site.settings;
  const wanted: Wanted[] = site.channels.flatMap(({ channel }) => [
    { check: `port ${channel.channel}`, ...channel.listen },
    ...acknowledged(channel),
  ]);
  if (health) wanted.push({ check: 'port health', ...health });
  return Promise.all(wanted.map((one) => ofPort(one, engine)));
}

/** Where application acknowledgements of deliveries come in. */
function acknowledged({ channel, destinations }: Site['channels'][number]['channel']): Wanted[] {
  return Object.entries(destinations).flatMap(([name, one]) => {
    if (one.kind !== 'feed' || !one.applicationAcks) return [];
    const { host, port } = one.applicationAcks;
    return port === undefined ? [] : [{ check: `port ${channel}/${name}`, host, port }];
  });
}

async function ofPort({ check, host, port }: Wanted, engine: number | undefined): Promise<Check> {
  const place = `${host}:${port}`;
  if (port === 0) return sound(check, `${host}, any free port`);
  const refused = await listenOnce(host, port);
  if (refused === undefined) {
    return engine === undefined
      ? sound(check, `${place} is free`)
      : wrong(
          check,
          `${place} is free: the engine that runs does not listen there`,
          'gatehouse channel list: where it is not applied, gatehouse config apply',
        );
  }
  if (refused === 'EACCES') {
    const next = 'take a port above 1023, or AmbientCapabilities=CAP_NET_BIND_SERVICE';
    return wrong(check, `${place} may not be opened by this user`, next);
  }
  if (refused !== 'EADDRINUSE') {
    return wrong(check, `${place} cannot be opened (${refused})`, 'check listen in the channel');
  }
  const holder = holderOf(port);
  if (holder && holder.pid === engine) return sound(check, `${place} is held by the engine`);
  // Whose sockets another user's process holds is not told.
  if (!holder && engine !== undefined) return sound(check, `${place} is in use, by the engine`);
  const who = holder ? `pid ${holder.pid} (${holder.name})` : 'another process';
  return wrong(check, `${place} is held by ${who}`, 'end it, or change listen in the channel');
}

/** Open a port and close it again. @returns why it cannot be opened */
async function listenOnce(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** The process that listens on a port, where this system tells and this user may know. */
export function holderOf(port: number): { pid: number; name: string } | undefined {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => inodes(file, port)),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of numbered('/proc')) {
    for (const descriptor of numbered(`/proc/${pid}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`)) ?? [];
      if (inode === undefined || !sockets.has(inode)) continue;
      return { pid: Number(pid), name: nameOf(pid) };
    }
  }
  return undefined;
}

/** The program of a process; what it was called with may hold secrets. */
function nameOf(pid: string): string {
  const [program = ''] = textOf(`/proc/${pid}/cmdline`).split('\0');
  return basename(program) || textOf(`/proc/${pid}/comm`).trim();
}

/** The sockets that listen on a port: state 0A (proc(5)). */
function inodes(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return textOf(file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells[1]?.endsWith(`:${hex}`) && cells[3] === '0A')
    .map((cells) => cells[9] ?? '');
}

function numbered(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
