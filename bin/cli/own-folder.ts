/** The folder Gatehouse itself is in: channels/, mappings/ and fixtures/ stand there, and package.json. */
import { resolve } from 'node:path';

/** The checkout, or `dist/` of the installed package: both are laid out alike. */
export function ownFolder(): string {
  return resolve(import.meta.dirname, '../..');
}
