/**
 * Where the control socket of an engine is: `control.sock` in the folder of its journal. A unix
 * socket's path is short (108 bytes on Linux, 104 elsewhere, unix(7)); where the folder's is too
 * long for it, the socket is made in a folder of its own, and `control.path` says where.
 */
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FaultError } from '../faults.ts';
import { Refusal } from './refusal.ts';

/** Bytes, without the 0 that ends it. */
const longest = process.platform === 'linux' ? 107 : 103;

const fits = (path: string): boolean => Buffer.byteLength(path) <= longest;
const inFolder = (folder: string): string => join(folder, 'control.sock');
const pointer = (folder: string): string => join(folder, 'control.path');

/** Where a client finds the engine that has this folder, if one runs. */
export function socketOf(folder: string): string {
  const path = inFolder(folder);
  if (fits(path)) return path;
  try {
    return readFileSync(pointer(folder), 'utf8').trim();
  } catch {
    return path;
  }
}

/**
 * That no engine answers from this folder. Its lock says so, too, unless somebody has removed the lock file:
 * then two would write to one journal.
 * @throws FaultError journalHeld
 */
export function assertAlone(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = socketOf(folder);
    const socket = connect(path);
    socket.once('error', () => resolve());
    socket.once('connect', () => {
      socket.destroy();
      const detail = `an engine answers at ${path}`;
      reject(new FaultError({ name: 'journalHeld', detail }));
    });
  });
}

/**
 * A free place to listen at. The caller holds the journal, so whatever is left there is of an
 * engine that died: it is removed.
 * @throws Refusal where no path is short enough, or something else is in its place
 */
export function takePlace(folder: string): string {
  leavePlace(folder, socketOf(folder));
  const path = inFolder(folder);
  if (fits(path)) return path;
  const own = mkdtempSync(join(process.env.XDG_RUNTIME_DIR || tmpdir(), 'gatehouse-'));
  const other = inFolder(own);
  if (!fits(other)) {
    rmdirSync(own);
    throw new Refusal(
      500,
      `no place for the control socket: ${path} and ${other} are longer than ${longest} bytes`,
      'give --data a shorter path, or set XDG_RUNTIME_DIR to one',
    );
  }
  writeFileSync(pointer(folder), `${other}\n`, { mode: 0o600 });
  return other;
}

/** Nobody but the owner may ask: connecting takes the right to write. */
export function closeToOthers(path: string): void {
  chmodSync(path, 0o600);
}

/** Remove a socket, with what was made for it. */
export function leavePlace(folder: string, path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there && !there.isSocket()) {
    throw new Refusal(500, `${path} is no socket`, 'move it out of the way');
  }
  rmSync(path, { force: true });
  if (path === inFolder(folder)) return;
  rmSync(pointer(folder), { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // Not ours alone, or gone already.
  }
}
