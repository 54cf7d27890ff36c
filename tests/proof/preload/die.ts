/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: once the proof says so,
 * the process ends itself with SIGKILL at one step.
 *
 * GATEHOUSE_PROOF_STEP  the step's name (`steps.ts`)
 * GATEHOUSE_PROOF_NTH   at which of its occurrences, from 1
 * GATEHOUSE_PROOF_ARMED a file: occurrences count once it exists; from the start where it is empty
 */
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import SQLite from 'better-sqlite3';
import { type Place, stepNamed } from '../steps.ts';

const {
  GATEHOUSE_PROOF_STEP = '',
  GATEHOUSE_PROOF_NTH = '1',
  GATEHOUSE_PROOF_ARMED = '',
} = process.env;

let left = Number(GATEHOUSE_PROOF_NTH);
let armed = GATEHOUSE_PROOF_ARMED === '';

function reached(): void {
  armed ||= existsSync(GATEHOUSE_PROOF_ARMED);
  if (armed && --left === 0) process.kill(process.pid, 'SIGKILL');
}

const { place } = stepNamed(GATEHOUSE_PROOF_STEP);
if ('sql' in place) watchStatements(place);
if ('socket' in place) watchSockets(place);

function watchStatements({ sql, when }: Extract<Place, { sql: string }>): void {
  const { prepare } = SQLite.prototype;
  SQLite.prototype.prepare = function (this: SQLite.Database, source: string) {
    const statement = prepare.call(this, source);
    if (source !== sql) return statement;
    const run = statement.run as (...given: unknown[]) => SQLite.RunResult;
    statement.run = (...given: unknown[]) => {
      if (when === 'before') reached();
      const result = run.apply(statement, given);
      if (when === 'after') reached();
      return result;
    };
    return statement;
  } as typeof prepare;
}

function watchSockets({ socket: side, when }: Extract<Place, { socket: string }>): void {
  // A connection that was accepted knows its server; one that was made has none.
  const isOurs = (socket: Socket): boolean =>
    ('server' in socket && !!socket.server) === (side === 'in');
  const { write, emit } = Socket.prototype;
  if (when === 'afterRead') {
    Socket.prototype.emit = function (this: Socket, ...given: unknown[]) {
      const result = Reflect.apply(emit, this, given) as boolean;
      if (given[0] === 'data' && isOurs(this)) reached();
      return result;
    } as typeof emit;
    return;
  }
  Socket.prototype.write = function (this: Socket, ...given: unknown[]) {
    const through = (): boolean => Reflect.apply(write, this, given) as boolean;
    if (!isOurs(this)) return through();
    if (when === 'beforeWrite') reached();
    const last = given.length - 1;
    const written = given[last];
    if (when === 'afterWrite' && typeof written === 'function') {
      // The bytes are with the operating system; Gatehouse has not been told yet.
      given[last] = (...told: unknown[]) => {
        reached();
        written(...told);
      };
    }
    return through();
  } as typeof write;
}
