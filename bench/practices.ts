/**
 * What look-ups of practices cost where the patient index and the practice table are as large as they get:
 *
 *     npm run bench:practices                          # eight million patients, seven thousand practices
 *     npm run bench:practices -- --patients 100000     # whether it runs, not how fast
 *
 * The imports are the commands that a site calls, as processes of their own. It writes some 2 GB for
 * eight million patients to the folder for temporary files (or `--data`), and removes them.
 */
import { spawn } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadPractices, practiceHeader } from '../engine/gp/practices.ts';
import { silent } from '../engine/events.ts';
import { openJournal } from '../engine/journal/sqlite.ts';
import { journalFolder } from './disk.ts';

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '8000000' },
    practices: { type: 'string', default: '7000' },
    lookups: { type: 'string', default: '20000' },
    data: { type: 'string' },
  },
});
const patients = Number(values.patients);
const practices = Number(values.practices);
const lookups = Number(values.lookups);
const root = resolve(import.meta.dirname, '..');
const folder = journalFolder(values.data);
let missed = false;

async function measure(): Promise<void> {
  const site = join(folder, 'site');
  const data = join(folder, 'data');
  for (const part of ['channels', 'mappings']) {
    cpSync(join(root, part), join(site, part), { recursive: true });
  }
  const table = join(site, 'channels', 'practices.csv');
  writeFileSync(table, `${practiceHeader}\n`);
  mkdirSync(data);
  const made = await openJournal({ folder: data, emit: silent });
  await made.close();

  const list = join(folder, 'epraccur.csv');
  writeFileSync(list, Array.from({ length: practices }, (_, n) => odsRow(codeOf(n))).join(''));
  const to = ['--to', 'legacy-gp', '--site', site, '--apply', '--yes'];
  const importing = await command('practice', 'import', list, ...to);
  verdict(`import of ${amount(practices)} practices`, importing, 's', 120);

  const started = performance.now();
  const rows = loadPractices(table);
  console.log(`  read by the engine in ${(performance.now() - started).toFixed(0)} ms`);

  const people = join(folder, 'patients.csv');
  writePatients(people);
  const filling = await command(
    ...['practice', 'import', '--patients', people, '--data', data, '--apply', '--yes'],
  );
  verdict(`import of ${amount(patients)} patients`, filling, 's', 120);

  const journal = await openJournal({ folder: data, emit: silent });
  try {
    const times = new Float64Array(lookups);
    let found = 0;
    for (let n = 0; n < lookups; n++) {
      const patient = numberOf(Math.floor(Math.random() * patients));
      const before = performance.now();
      const known = await journal.practiceOf(patient);
      if (known && rows.get(known.practice)) found += 1;
      times[n] = performance.now() - before;
    }
    if (found !== lookups) throw new Error(`${lookups - found} patients were not found`);
    times.sort();
    const at = (share: number) => times[Math.floor(share * (lookups - 1))] ?? Number.NaN;
    const what = 'NHS number to practice to table row';
    verdict(`${what}, p50`, at(0.5), 'ms', 1);
    verdict(`${what}, p99`, at(0.99), 'ms', 1);
  } finally {
    await journal.close();
  }
}

function verdict(what: string, measured: number, unit: string, most: number): void {
  const met = measured <= most;
  missed ||= !met;
  console.log(
    `${met ? 'met   ' : 'MISSED'} ${what}: ${measured.toFixed(3)} ${unit} (at most ${most} ${unit})`,
  );
}

/** @returns seconds it took */
async function command(...args: string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin', 'gatehouse'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new Error(`gatehouse ${args.slice(0, 3).join(' ')} ended with ${code}`);
  return (performance.now() - started) / 1000;
}

function amount(n: number): string {
  return n.toLocaleString('en-GB');
}

function codeOf(n: number): string {
  return `Y${String(10_000 + n)}`;
}

function odsRow(code: string): string {
  const cells = Array.from({ length: 27 }, () => '');
  Object.assign(cells, { 0: code, 1: `SURGERY ${code}`, 9: 'ZZ99 3WZ', 12: 'ACTIVE' });
  Object.assign(cells, { 14: '08M', 25: 'RO76' });
  return `${cells.map((cell) => `"${cell}"`).join(',')}\r\n`;
}

/** The nth of the numbers used here: every NHS number that begins with 9, with its check digit. */
function numberOf(n: number): string {
  // Of eleven check digits ten can be written, so some are passed over: spread, then the next that can.
  for (let nine = 900_000_000 + n * 12; ; nine++) {
    const digits = String(nine);
    let sum = 0;
    for (let at = 0; at < 9; at++) sum += Number(digits[at]) * (10 - at);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) return digits + String(check);
  }
}

function writePatients(file: string): void {
  const descriptor = openSync(file, 'w', 0o600);
  let text = 'NHS number,practice,date\n';
  for (let n = 0; n < patients; n++) {
    text += `${numberOf(n)},${codeOf((n * 7919) % practices)},2026-01-01\n`;
    if (text.length < 1 << 20) continue;
    writeSync(descriptor, text);
    text = '';
  }
  writeSync(descriptor, text);
  closeSync(descriptor);
}

try {
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed ? 1 : 0;
