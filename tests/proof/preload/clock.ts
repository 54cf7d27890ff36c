/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: the clock of the machine
 * is set, as the file GATEHOUSE_PROOF_CLOCK says in milliseconds. The monotonic clock is left alone,
 * as it is where an administrator or NTP sets the other.
 */
import { readFileSync } from 'node:fs';

const { GATEHOUSE_PROOF_CLOCK = '' } = process.env;
const { now } = Date;
let shift = 0;

function read(): void {
  shift = Number(readFileSync(GATEHOUSE_PROOF_CLOCK, 'utf8'));
}

read();
setInterval(read, 20).unref();
Date.now = () => now() + shift;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, as) =>
    Reflect.construct(target, given.length === 0 ? [Date.now()] : given, as) as Date,
});
