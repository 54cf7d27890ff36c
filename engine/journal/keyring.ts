/**
 * The key file: text of mode 0600, one key a line (32 bytes as base64), `#` before a comment. The
 * last line is the current key; a new key is appended below the old ones, which stay to read what
 * they sealed.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { FaultError } from '../faults.ts';
import { replaceFile, syncFolder } from './durable-file.ts';

const header = `# The keys of a Gatehouse journal, the last one current. Keep a copy apart from the journal's
# backup: without it nothing stored can be read; with it everything can.
`;

/**
 * The keys in a file, oldest first; at least one.
 * @throws FaultError journalKeyUnreadable, or journalKeyExposed where others than the owner may
 *   read the file
 */
export function readKeys(file: string): Buffer[] {
  let text: string;
  try {
    // On Windows the mode says nothing; access is governed by the folder's ACL.
    const mode = statSync(file).mode & 0o777;
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const detail = `${file} has mode 0${mode.toString(8)}`;
      throw new FaultError({ name: 'journalKeyExposed', detail });
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw unreadable(`${file}: ${errorCode(error)}`, error);
  }
  const keys: Buffer[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const key = Buffer.from(content, 'base64');
    if (key.length !== 32 || key.toString('base64') !== content) {
      throw unreadable(`${file}:${index + 1}: not 32 bytes in base64`);
    }
    keys.push(key);
  }
  if (keys.length === 0) throw unreadable(`${file}: no key in it`);
  return keys;
}

/**
 * Make a key file with one new random key, durably, before anything is sealed with it.
 * @throws FaultError journalKeyUnreadable; a file that is there already is never overwritten
 */
export function createKeyFile(file: string): void {
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      writeSync(descriptor, `${header}${randomBytes(32).toString('base64')}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncFolder(dirname(file));
  } catch (error) {
    throw unreadable(`${file}: ${errorCode(error)}`, error);
  }
}

/**
 * Put a new random key below the others, durably: the file is replaced as a whole.
 * @returns the key
 * @throws FaultError journalKeyUnreadable where the file is another user's: it would not be readable to them
 */
export function addKey(file: string): Buffer {
  readKeys(file);
  const key = randomBytes(32);
  const before = readFileSync(file, 'utf8').replace(/\n*$/, '\n');
  replaceKeys(file, `${before}${key.toString('base64')}\n`);
  return key;
}

/**
 * Take a key out of the file, durably: the file is replaced as a whole.
 * @returns what the file held before, for `replaceKeys`
 * @throws FaultError journalKeyUnreadable where the file is another user's
 */
export function removeKey(file: string, key: Buffer): string {
  const before = readFileSync(file, 'utf8');
  const line = key.toString('base64');
  replaceKeys(
    file,
    before.replace(/.*(?:\n|$)/g, (one) => (one.trim() === line ? '' : one)),
  );
  return before;
}

/**
 * Put another text in the place of a key file, durably.
 * @throws FaultError journalKeyUnreadable where the file is another user's: it would not be readable to them
 */
export function replaceKeys(file: string, text: string): void {
  const { uid, mode } = statSync(file);
  if (process.getuid && uid !== process.getuid()) {
    throw unreadable(`${file} belongs to another user, who alone may change it`);
  }
  try {
    replaceFile(file, text, mode & 0o777);
  } catch (error) {
    throw unreadable(`${file}: ${errorCode(error)}`, error);
  }
}

function unreadable(detail: string, cause?: unknown): FaultError {
  return new FaultError({ name: 'journalKeyUnreadable', detail }, { cause });
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'not readable';
}
