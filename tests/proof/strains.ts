/** What gives way under a Gatehouse, one at a time, and what must be seen meanwhile. */
import { writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { filesOf } from '../../engine/journal/database.ts';
import { type Cell, until } from './cell.ts';
import { diskEnvironment, restoreFromDisk } from './disk.ts';
import type { Random } from './part.ts';
import { openFiles, residentMemory } from './resident.ts';
import { NotStarted, type Server } from './server.ts';
import { channel } from './site.ts';

export interface Strain {
  name: string;
  /** @returns what was wrong meanwhile; the law is held afterwards */
  act(scene: Scene): Promise<string[]>;
}

export interface Scene {
  cell: Cell;
  random: Random;
  /** `disk.c`, built. */
  library: string;
  /** A file that `on` makes and `off` removes. */
  file: string;
  on(): void;
  off(): void;
}

/** How long anything may take to get going again by itself. */
const recoveryMs = 20_000;
const preload = (name: string): string => join(import.meta.dirname, 'preload', `${name}.ts`);

export const strains: readonly Strain[] = [
  {
    name: 'disk full',
    async act({ cell, library, file, on, off }) {
      const env = () => diskEnvironment(library, { data: cell.data, full: file });
      const server = await begun(cell, { imports: [preload('often')], env: env() });
      on();
      const complaints = await refuses(cell, 'on a full disk');
      // Killed while it is full: a start without room either refuses too, or says why it cannot.
      await killed(cell, server);
      const again = await cell.start({ env: env() }).catch(whyNot);
      if (!('pid' in again)) {
        if (!again.message.includes('GH-6002')) complaints.push(again.message);
      } else {
        cell.load(again);
        complaints.push(...(await refuses(cell, 'after a start on a full disk')));
        await killed(cell, again);
      }
      off();
      await killed(cell, await begun(cell, { env: env() }));
      // Room that comes while it serves.
      const last = await begun(cell, { env: env() });
      on();
      complaints.push(...(await refuses(cell, 'on a disk that is full again')));
      off();
      complaints.push(...(await goesOn(cell, 'room')));
      await killed(cell, last);
      return complaints;
    },
  },
  {
    name: 'disk failing',
    async act({ cell, library, file, on, off, random }) {
      const shadow = `${cell.data}-disk`;
      const disk = { data: cell.data, shadow, fails: file, armed: cell.armed, at: 'any' } as const;
      const keeps = Math.floor(random() * 90);
      const env = diskEnvironment(library, { ...disk, keeps, seed: 1 });
      const server = await begun(cell, { imports: [preload('often')], env });
      on();
      const complaints = await refuses(cell, 'on a disk that cannot sync');
      off();
      complaints.push(...(await goesOn(cell, 'a disk that syncs')));
      cell.arm();
      await server.ended;
      cell.cut();
      if (!restoreFromDisk(cell.data, shadow)) complaints.push('the power was not cut');
      return complaints;
    },
  },
  {
    name: 'journal locked',
    async act({ cell }) {
      const server = await begun(cell);
      const other = new SQLite(filesOf(cell.data).journal, { timeout: 5000 });
      other.exec('begin immediate');
      const complaints = await refuses(cell, 'with a locked journal');
      if (!(await until(() => cell.senders.refused.size > 0, recoveryMs))) {
        complaints.push('nobody was told of a locked journal');
      }
      other.exec('rollback');
      other.close();
      complaints.push(...(await goesOn(cell, 'the lock')));
      await killed(cell, server);
      return complaints;
    },
  },
  {
    name: 'clock set',
    async act({ cell, file }) {
      const life = { imports: [preload('clock')], env: { GATEHOUSE_PROOF_CLOCK: file } };
      const set = (hours: number): void => writeFileSync(file, String(hours * 3_600_000));
      const complaints: string[] = [];
      set(0);
      for (const [serving, starting] of [
        [-1, -2],
        [3, 0],
      ] as const) {
        const server = await begun(cell, life, 500);
        set(serving);
        complaints.push(...(await goesOn(cell, `the clock at ${serving} h`)));
        await killed(cell, server);
        set(starting);
      }
      const server = await begun(cell, life, 500);
      await killed(cell, server);
      return complaints;
    },
  },
  {
    name: 'descriptors exhausted',
    async act({ cell }) {
      // Node needs about thirty; our senders, the receiver and the journal fit beside them.
      const server = await begun(cell, { under: ['prlimit', '--nofile=128'] });
      const crowd = crowding(server, 200);
      const complaints = await goesOn(cell, 'a crowd at the door');
      if (openFiles(server.pid) < 120) complaints.push('there were descriptors left');
      for (const socket of crowd) socket.destroy();
      const accepted = cell.receiver.accepted.size;
      if (!(await until(() => cell.receiver.accepted.size > accepted + 100, recoveryMs))) {
        complaints.push('nothing was delivered after a crowd had left');
      }
      // One that comes when they have left is served.
      cell.cut();
      cell.load(server);
      complaints.push(...(await goesOn(cell, 'new connections')));
      await killed(cell, server);
      return complaints;
    },
  },
  {
    name: 'slow receiver',
    async act({ cell }) {
      const { react } = cell.receiver;
      const server = await begun(cell);
      cell.receiver.react = () => 'silence';
      const before = residentMemory(server.pid);
      const wanted = cell.senders.acknowledged.size + backlog;
      const taken = await until(() => cell.senders.acknowledged.size >= wanted, 60_000);
      const grown = residentMemory(server.pid) - before;
      const complaints = taken ? [] : ['it stopped to acknowledge while the receiver was silent'];
      if (grown > mostGrowth) complaints.push(`memory grew by ${Math.round(grown / 1024 ** 2)} MB`);
      cell.receiver.react = react;
      await killed(cell, server);
      return complaints;
    },
  },
];

/** More than a queue holds in memory. */
const backlog = 12_000;
const mostGrowth = 200 * 1024 ** 2;

/** A server that has acknowledged some messages. */
async function begun(
  cell: Cell,
  life?: Parameters<Cell['start']>[0],
  acknowledgements = 300,
): Promise<Server> {
  const server = await cell.start(life);
  const wanted = cell.senders.acknowledged.size + acknowledgements;
  cell.load(server);
  if (!(await until(() => cell.senders.acknowledged.size >= wanted, recoveryMs))) {
    throw new Error(`no ${acknowledgements} acknowledgements to begin with: ${server.said()}`);
  }
  return server;
}

function whyNot(error: unknown): NotStarted {
  if (error instanceof NotStarted) return error;
  throw error;
}

async function killed(cell: Cell, server: Server): Promise<void> {
  server.kill();
  await server.ended;
  cell.cut();
}

/** Messages are refused, or wait: for a second and a half no more are acknowledged. */
async function refuses({ senders }: Cell, when: string): Promise<string[]> {
  const stops = async (): Promise<boolean> => {
    const before = senders.acknowledged.size;
    return !(await until(() => senders.acknowledged.size > before, 1500));
  };
  for (const end = performance.now() + recoveryMs; performance.now() < end;) {
    if (await stops()) return [];
  }
  return [`it went on acknowledging ${when}`];
}

/** By itself, and soon. */
async function goesOn({ senders }: Cell, after: string): Promise<string[]> {
  const wanted = senders.acknowledged.size + 300;
  const does = await until(() => senders.acknowledged.size >= wanted, recoveryMs);
  return does ? [] : [`it did not go on by itself after ${after}`];
}

function crowding(server: Server, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port: server.ports[channel] ?? 0, host: '127.0.0.1' });
    socket.on('error', () => {});
    return socket;
  });
}
