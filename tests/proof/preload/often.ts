/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: what it does rarely is
 * done all the time. Checkpoints come after 64 pages instead of thousands, and what is due every
 * minute or hour (retention) five times a second.
 */
import SQLite from 'better-sqlite3';

const { pragma } = SQLite.prototype;
SQLite.prototype.pragma = function (this: SQLite.Database, source: string, options?: object) {
  const often = source.replace(/^wal_autocheckpoint = \d+$/, 'wal_autocheckpoint = 64');
  return pragma.call(this, often, options as SQLite.PragmaOptions);
} as typeof pragma;

const { setInterval } = globalThis;
globalThis.setInterval = ((call: () => void, ms: number, ...given: []) =>
  setInterval(call, ms >= 60_000 ? 200 : ms, ...given)) as typeof globalThis.setInterval;
