/** Small files that must be the old one or the new one after a crash or a power cut, never part of either. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Put other content in the place of a file; it is on the disk on return.
 * @param mode of the new file
 * @throws Error of the file system: then the old one stands, and nothing lies beside it
 */
export function replaceFile(file: string, content: string | Uint8Array, mode: number): void {
  const beside = `${file}.new-${process.pid}`;
  // An earlier process with this number may have died here.
  rmSync(beside, { force: true });
  try {
    const descriptor = openSync(beside, 'wx', mode);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Make a new file's name durable; Windows does not offer it and does not need it. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
