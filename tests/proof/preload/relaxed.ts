/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: the journal runs with
 * synchronous=NORMAL and believes that it runs with FULL. The control of the power cuts: this must
 * lose messages.
 */
import SQLite from 'better-sqlite3';

const { pragma } = SQLite.prototype;
SQLite.prototype.pragma = function (this: SQLite.Database, source: string, options?: object) {
  if (source === 'synchronous' && options !== undefined) return 2;
  const relaxed = source.replace(/^synchronous = full$/i, 'synchronous = normal');
  return pragma.call(this, relaxed, options as SQLite.PragmaOptions);
} as typeof pragma;
