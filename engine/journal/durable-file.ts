/**
 * Small files that must be the old one or the new one after a crash or a power cut, never part of either;
 * and lists that grow by a line.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/**
 * Add a line to a file, which is made where it is not there; it is on the disk on return. A line that a crash
 * cut short spoils no other.
 * @param line without its end
 * @param mode of a new file
 */
export function appendLine(file: string, line: string, mode: number): void {
  const isNew = !existsSync(file);
  const descriptor = openSync(file, 'a+', mode);
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    const isCut = size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
    writeFileSync(descriptor, `${isCut ? '\n' : ''}${line}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (isNew) syncFolder(dirname(file));
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
