/**
 * Numbered, forward-only SQL files bring a database from any earlier version to the present one.
 * The version is the number of the last file applied, kept in SQLite's `user_version`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { FaultError } from '../faults.ts';

/** Which of the two databases: the journal, or the keys its exchanges are found by. */
export type Schema = 'journal' | 'keys';

/**
 * Apply what is missing, each file in one transaction.
 * @returns how many files were applied
 * @throws FaultError journalVersion where the database is newer than this code
 */
export function migrate(database: Database, schema: Schema): number {
  const files = migrations(schema);
  const version = versionOf(database);
  if (version > files.length) throw wrongVersion(schema, version, files.length);
  for (const [index, file] of files.entries()) {
    if (index < version) continue;
    const apply = database.transaction(() => {
      database.exec(readFileSync(file, 'utf8'));
      database.pragma(`user_version = ${index + 1}`);
    });
    apply.immediate();
  }
  return files.length - version;
}

/**
 * For who may not migrate: make sure that the database is of the present version.
 * @throws FaultError journalVersion; journalCorrupt or indexDamaged where it is empty
 */
export function assertVersion(database: Database, schema: Schema): void {
  const expected = migrations(schema).length;
  const version = versionOf(database);
  if (version === 0) throw empty(schema);
  if (version !== expected) throw wrongVersion(schema, version, expected);
}

function migrations(schema: Schema): URL[] {
  const folder = new URL(`./migrations/${schema}/`, import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => new URL(name, folder));
}

function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

function empty(schema: Schema): FaultError {
  const name = schema === 'journal' ? 'journalCorrupt' : 'indexDamaged';
  return new FaultError({ name, detail: `${schema}.sqlite is empty` });
}

function wrongVersion(schema: Schema, found: number, expected: number): FaultError {
  const detail = `${schema}.sqlite has version ${found}, this code has ${expected}`;
  return new FaultError({ name: 'journalVersion', detail });
}
