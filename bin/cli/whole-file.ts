/** A file that is there as a whole or not at all, and that nobody else may read. */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { writeSync } from 'node:fs';
import { exits } from './exits.ts';
import { CommandError } from './output.ts';

export interface WholeFile {
  write(bytes: Uint8Array | string): void;
  /** Give it its name. @throws CommandError where a file of that name came to be meanwhile */
  keep(): void;
  /** Leave nothing of it. Does nothing once it is kept. */
  drop(): void;
}

/**
 * Begin a file, mode 0600, beside the place where it will be.
 * @param force take the place of a file that is there
 * @throws CommandError exit 1 where one is there
 */
export function beginFile(path: string, force = false): WholeFile {
  const taken = () =>
    new CommandError(`${path} is there already`, 'name another one, or add --force', exits.failed);
  if (!force && existsSync(path)) throw taken();
  const partial = `${path}.partial-${process.pid}`;
  const descriptor = openSync(partial, 'wx', 0o600);
  let open = true;
  const close = () => {
    if (open) closeSync(descriptor);
    open = false;
  };
  return {
    write(bytes) {
      const all = Buffer.from(bytes as Uint8Array);
      for (let at = 0; at < all.length;) at += writeSync(descriptor, all, at);
    },
    keep() {
      fsyncSync(descriptor);
      close();
      if (force) return renameSync(partial, path);
      try {
        // Unlike a renaming, it fails where the name is taken.
        linkSync(partial, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken();
        // A file system without links.
        renameSync(partial, path);
        return;
      }
      rmSync(partial);
    },
    drop() {
      close();
      rmSync(partial, { force: true });
    },
  };
}
