/** The disk under the journal: that it is one, and how often a second it can be made to hold on. */
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** statfs(2) types of file systems that are memory: tmpfs and ramfs. */
const memory = new Set([0x01021994, 0x858458f6]);

/** Names of the common ones. */
const names: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0x794c7630: 'overlay',
  0x6969: 'nfs',
  0x1a: 'apfs',
};

/**
 * A new folder on a real disk, for the journal.
 * @param chosen where to make it; the system's folder for temporary files unless told, or the
 *   project's own where that one is memory
 * @throws Error when it would lie in memory: a journal there costs nothing and keeps nothing
 */
export function journalFolder(chosen?: string): string {
  const project = join(resolve(import.meta.dirname, '..'), 'node_modules', '.cache');
  const candidates = chosen === undefined ? [tmpdir(), project] : [chosen];
  for (const candidate of candidates) {
    mkdirSync(candidate, { recursive: true });
    if (!memory.has(statfsSync(candidate).type))
      return mkdtempSync(join(candidate, 'gatehouse-bench-'));
  }
  throw new Error(`${candidates.join(' and ')} lie in memory; name a folder on a disk with --data`);
}

/** The disk a folder lies on, in words: file system, device, what kind it is. */
export function describeDisk(folder: string): string {
  const { type } = statfsSync(folder);
  const system = names[type] ?? `file system 0x${type.toString(16)}`;
  try {
    const { dev } = statSync(folder);
    const device = realpathSync(`/sys/dev/block/${Math.floor(dev / 256)}:${dev % 256}`);
    return `${system} on ${basename(device)} (${kindOf(device)})`;
  } catch {
    return system;
  }
}

/** A virtual disk says that it rotates, whatever lies below it. */
function kindOf(device: string): string {
  if (/^x?vd/.test(basename(device))) return 'virtual disk';
  // A partition has no queue of its own.
  const turns = rotational(device) ?? rotational(dirname(device));
  return turns === '0' ? 'solid-state disk' : 'disk';
}

function rotational(device: string): string | undefined {
  try {
    return readFileSync(join(device, 'queue', 'rotational'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Append 4 KB and fdatasync, over and over: what one writer that waits for the disk each time can
 * reach, and so the measure for one connection with one message in flight.
 * @returns how often a second
 */
export function syncRate(folder: string, ms: number): number {
  const file = join(folder, 'fdatasync');
  const descriptor = openSync(file, 'a');
  const page = Buffer.alloc(4096, 0x20);
  const began = performance.now();
  let count = 0;
  try {
    while (performance.now() - began < ms) {
      writeSync(descriptor, page);
      fdatasyncSync(descriptor);
      count++;
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  return (count * 1000) / (performance.now() - began);
}
