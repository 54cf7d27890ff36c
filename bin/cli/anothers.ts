/** Folders of journals that another user runs an engine on: they are there, and are not to be read. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './output.ts';

/** Whether the operating system lets nobody but another user look into a folder. */
export function isAnothers(folder: string): boolean {
  try {
    statSync(join(folder, 'journal.sqlite'), { throwIfNoEntry: false });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The next step where it is so. */
export const asItsUser = 'run this as the user who runs the engine';

/** @throws CommandError where it is so: that nothing is there would not be true */
export function refuseAnothers(folder: string): void {
  if (!isAnothers(folder)) return;
  const says = `${folder} belongs to another user, and nobody else may read it`;
  throw new CommandError(says, asItsUser, 'refusedBySystem');
}
