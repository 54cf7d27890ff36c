/** The disk of a Gatehouse under trial (`disk.c`): builds it, sets it, and finds what a cut left. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface DiskOptions {
  /** The folder of the journal; made where it is not there. */
  data: string;
  /** Keeps what the disk would hold; made anew. Without it the disk loses nothing. */
  shadow?: string;
  /**
   * When the process ends: at any moment, before a write or a sync, once it is synced, or once a file
   * is removed; never unless told.
   */
  at?: 'any' | 'write' | 'sync' | 'synced' | 'removed';
  /** Only where it is this file. */
  file?: string;
  /** At which of them, from 1. */
  nth?: number;
  /** They count once this file is there; from the start unless told. */
  armed?: string;
  /** Percent of the sectors not synced that reach the disk all the same. */
  keeps?: number;
  seed?: number;
  /** While this file is there, no file can grow. */
  full?: string;
  /** While this file is there, no sync succeeds. */
  fails?: string;
}

/**
 * Build the library with the system's C compiler.
 * @param folder where to put it
 * @returns its path
 * @throws Error where there is no compiler, or this is not Linux
 */
export function buildDisk(folder: string): string {
  const library = join(folder, 'disk.so');
  const source = join(import.meta.dirname, 'disk.c');
  const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];
  execFileSync('cc', [...flags, '-o', library, source], { stdio: ['ignore', 'ignore', 'pipe'] });
  return library;
}

/** What a server has to find in its environment to run on such a disk. */
export function diskEnvironment(library: string, options: DiskOptions): Record<string, string> {
  const { data, shadow, at = '', file, nth = 1, armed, keeps = 0, seed = 1, full, fails } = options;
  mkdirSync(data, { recursive: true, mode: 0o700 });
  if (shadow !== undefined) {
    rmSync(shadow, { recursive: true, force: true });
    mkdirSync(shadow, { recursive: true });
  }
  return {
    LD_PRELOAD: library,
    GATEHOUSE_DISK_FOLDER: data,
    GATEHOUSE_DISK_AT: at,
    GATEHOUSE_DISK_NTH: String(nth),
    GATEHOUSE_DISK_KEEPS: String(keeps),
    GATEHOUSE_DISK_SEED: String(seed),
    ...(shadow !== undefined && { GATEHOUSE_DISK_SHADOW: shadow }),
    ...(file !== undefined && { GATEHOUSE_DISK_FILE: file }),
    ...(armed !== undefined && { GATEHOUSE_DISK_ARMED: armed }),
    ...(full !== undefined && { GATEHOUSE_DISK_FULL: full }),
    ...(fails !== undefined && { GATEHOUSE_DISK_FAILS: fails }),
  };
}

/**
 * After a cut: let the folder hold what the disk held.
 * @returns whether there was a cut
 */
export function restoreFromDisk(data: string, shadow: string): boolean {
  const names = join(shadow, 'names');
  if (!existsSync(names)) return false;
  // Folders within it hold earlier configurations, which no message depends on: they are not modelled.
  for (const file of readdirSync(data, { withFileTypes: true })) {
    if (!file.isDirectory()) rmSync(join(data, file.name));
  }
  for (const line of readFileSync(names, 'utf8').split('\n')) {
    const [number = '', name] = line.split(' ');
    if (name !== undefined) renameSync(join(shadow, number), join(data, name));
  }
  return true;
}
