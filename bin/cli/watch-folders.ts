/**
 * Tells when a file below some folders is saved. Each folder is watched, not each file: an editor puts
 * another file in the place of the old one, which nobody would watch.
 */
import { type FSWatcher, existsSync, readdirSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** An editor writes a file in several steps, milliseconds. */
const quietMs = 120;

/** The half-written and hidden files of editors. */
const passing = /^[.#]|~$|\.swp$/;

/**
 * Watch folders and all below them, and single files.
 * @param saved called once a moment after one save or several
 * @returns ends it
 */
export function watchFolders(
  folders: readonly string[],
  saved: () => void,
  files: readonly string[] = [],
): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;

  function changed(name: string | null): void {
    if (name !== null && passing.test(name)) return;
    // It may be a folder that has come, or gone.
    folders.forEach(add);
    clearTimeout(timer);
    timer = setTimeout(saved, quietMs);
  }

  function add(folder: string): void {
    if (!existsSync(folder)) {
      watchers.get(folder)?.close();
      watchers.delete(folder);
      return;
    }
    if (!watchers.has(folder)) {
      const watcher = watch(folder, (_, name) => changed(name));
      watcher.on('error', () => watchers.delete(folder));
      watchers.set(folder, watcher);
    }
    for (const one of readdirSync(folder, { withFileTypes: true })) {
      if (one.isDirectory() && !passing.test(one.name)) add(join(folder, one.name));
    }
  }

  folders.forEach(add);
  for (const file of files) {
    const watcher = watch(dirname(file), (_, name) => {
      if (name === basename(file)) changed(name);
    });
    watchers.set(file, watcher);
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}
