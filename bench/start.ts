/**
 * How long commands take to start and end, beside Node doing nothing:
 *
 *     npm run bench:start                 # medians of 25 interleaved runs
 *     npm run bench:start -- -o json      # kind "start", version 1
 *
 * Each run is a process of its own, in turn with the others, so that a slow moment meets all alike.
 * Node keeps what it compiles, as on a machine where the commands are used; the first runs fill that.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { silent } from '../engine/events.ts';
import { openJournal } from '../engine/journal/sqlite.ts';
import { journalFolder } from './disk.ts';
import { type Spread, spread } from './figures.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '25' },
    messages: { type: 'string', default: '1000' },
    output: { type: 'string', short: 'o', default: 'table' },
  },
});
const root = resolve(import.meta.dirname, '..');
const launcher = join(root, 'bin', 'gatehouse');
const warmUp = 3;

const folder = journalFolder();
const data = join(folder, 'data');
const cache = join(folder, 'cache');

/** What is started, and the most it may take of Node doing nothing. */
const subjects: { what: string; args: string[]; most?: number }[] = [
  { what: 'node -e 0', args: ['-e', '0'] },
  { what: 'gatehouse --version', args: [launcher, '--version'], most: 1.5 },
  {
    what: `gatehouse message list, of ${values.messages} messages`,
    args: [launcher, 'message', 'list', '--data', data],
    most: 3,
  },
  { what: 'gatehouse explain GH-4002', args: [launcher, 'explain', 'GH-4002'], most: 3 },
  { what: 'gatehouse channel list', args: [launcher, 'channel', 'list'] },
  { what: 'gatehouse --help', args: [launcher, '--help'] },
];

interface Row {
  what: string;
  /** Milliseconds. */
  took: Spread;
  /** Of Node doing nothing in the same round. */
  times: Spread;
  most?: number;
  met?: boolean;
}

try {
  mkdirSync(data);
  await fill();
  const rounds: number[][] = [];
  for (let round = -warmUp; round < Number(values.runs); round++) {
    const took = subjects.map(({ args }) => run(args));
    if (round >= 0) rounds.push(took);
  }
  const rows = subjects.map(({ what, most }, at): Row => {
    const took = spread(rounds.map((round) => round[at] ?? Number.NaN));
    const times = spread(rounds.map((round) => (round[at] ?? 0) / (round[0] ?? 1)));
    return { what, took, times, most, met: most === undefined ? undefined : times.median <= most };
  });
  const machine = describeMachine(folder);
  if (values.output === 'json') {
    const report = { kind: 'start', version: 1, machine, runs: Number(values.runs), rows };
    console.log(JSON.stringify(report, null, 2));
  } else {
    for (const row of rows) console.log(line(row));
  }
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A journal to list, as an engine leaves it. */
async function fill(): Promise<void> {
  const journal = await openJournal({ folder: data, emit: silent });
  const body = Buffer.from('MSH|^~\\&|A|B|C|D|20260604101500||ADT^A01|M1|P|2.4\r');
  const appends = Array.from({ length: Number(values.messages) }, (_, n) => {
    const id = journal.mint();
    const keys = { state: 'answered', type: 'ADT^A01', sender: 'A|B', controlId: `M${n}` } as const;
    return journal.append(id, 'adt-feed', [{ kind: 'received', at: id, body }], keys);
  });
  await Promise.all(appends);
  await journal.close();
}

/** @returns how long it took, milliseconds */
function run(args: string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: folder, NODE_COMPILE_CACHE: cache },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${String(stderr)}`);
  return performance.now() - began;
}

function line({ what, took, times, most, met }: Row): string {
  const goal = most === undefined ? '' : `  ≤ ${most}  ${met ? 'met' : 'MISSED'}`;
  const [ms, ratio] = [took.median.toFixed(0).padStart(5), times.median.toFixed(2).padStart(6)];
  return `${what.padEnd(46)} ${ms} ms ${ratio} times${goal}`;
}
