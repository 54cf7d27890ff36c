/**
 * `npm run bench`: Gatehouse, the bare minimum and two peers, side by side in one run. What is
 * measured, how, and what it does not say: docs/benchmarks.md.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { measureBeside } from './beside.ts';
import { measureChain } from './chain.ts';
import { startServer } from './children.ts';
import { journalFolder, syncRate } from './disk.ts';
import { type Results, type ServerRow, spread } from './figures.ts';
import { startGatehouse } from './gatehouse.ts';
import { judge } from './goals.ts';
import { describeMachine } from './machine.ts';
import { type Report, written } from './report.ts';
import { template } from './samples.ts';
import { type Schedule, type Subject, measureServers } from './servers.ts';
import { measureEdits, measureMappings } from './threads.ts';

const parts = ['adt', 'query', 'beside', 'chain', 'peers', 'disk', 'edit', 'mapping'] as const;
type Part = (typeof parts)[number];

/** Gatehouse indexes half a second after a commit and marks deliveries within one. */
const gatehouseRestMs = 1500;

const list = (text: string): string[] => text.split(',');
const options = new Command('npm run bench --')
  .description('Measure Gatehouse beside a bare echo and two peers, on this machine alone.')
  .addOption(new Option('--only <parts>', `some of ${parts.join(', ')}`).argParser(list))
  .addOption(new Option('--connections <counts>', 'numbers of connections').argParser(list))
  .option('--quick', 'two short repetitions: whether it runs, not how fast')
  .option('--data <folder>', 'where the journal goes; must be on a disk')
  .addOption(
    new Option('-o, --output <form>', 'form of the output')
      .choices(['table', 'json'])
      .default('table'),
  )
  .parse()
  .opts<{
    only?: string[];
    connections?: string[];
    quick?: boolean;
    data?: string;
    output: 'table' | 'json';
  }>();

const chosen = chosenParts(options.only);
const schedule: Schedule = {
  repetitions: options.quick ? 2 : 5,
  connections: connectionCounts(options.connections),
  runInMs: options.quick ? 1000 : 4000,
  warmUpMs: options.quick ? 300 : 500,
  measureMs: options.quick ? 500 : 3000,
};
const threadMs = options.quick ? 300 : 1500;

const folder = journalFolder(options.data);
const clean = (): void => rmSync(folder, { recursive: true, force: true });
process.on('exit', clean);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const began = performance.now();
const machine = describeMachine(folder);
const results: Results = { servers: [], edits: [], mappings: [] };
if (['adt', 'query', 'peers'].some((part) => chosen.has(part as Part))) {
  results.servers = await servers();
}
if (chosen.has('beside')) results.beside = await measureBeside(folder, schedule, tell);
if (chosen.has('chain')) results.chain = await measureChain(folder, schedule, tell);
if (chosen.has('disk')) {
  tell('fdatasync');
  const rates = Array.from({ length: schedule.repetitions }, () => syncRate(folder, threadMs));
  results.syncs = spread(rates);
}
if (chosen.has('edit')) {
  tell('parse, edit, serialise');
  results.edits = await measureEdits(schedule.repetitions, threadMs);
}
if (chosen.has('mapping')) {
  tell('mapping');
  results.mappings = await measureMappings(schedule.repetitions, threadMs);
}

const report: Report = {
  machine,
  method: {
    repetitions: schedule.repetitions,
    seconds: schedule.measureMs / 1000,
    bytes: template('adt').frame.length - 3,
  },
  took: (performance.now() - began) / 1000,
  results,
  goals: judge(results),
};
process.stdout.write(
  options.output === 'json'
    ? `${JSON.stringify({ kind: 'benchmark', version: 1, ...report }, null, 2)}\n`
    : written(report),
);

/** Start what was chosen, the echo always; measure; stop. */
async function servers(): Promise<ServerRow[]> {
  const subjects: Subject[] = [];
  const stops: (() => Promise<void>)[] = [];
  const server = async (name: string) => {
    const started = await startServer(name);
    stops.push(started.stop);
    return started;
  };
  try {
    const idle = { message: 'adt', restMs: 200 } as const;
    subjects.push({ subject: 'echo', title: 'bare echo', server: await server('echo'), ...idle });
    if (chosen.has('adt') || chosen.has('query')) {
      const simulator = await server('simulator');
      const gatehouse = await startGatehouse(folder, `http://127.0.0.1:${simulator.port}`);
      stops.push(gatehouse.stop);
      const restMs = gatehouseRestMs;
      if (chosen.has('adt')) {
        const bare = await startServer('stored-echo', [join(folder, 'bare')]);
        stops.push(bare.stop);
        subjects.push({
          ...{ subject: 'journal', title: 'echo with our journal, nothing read', server: bare },
          ...{ message: 'adt', restMs },
        });
        const title = 'Gatehouse, ADT on disk before its ACK';
        subjects.push({ subject: 'adt', title, server: gatehouse, message: 'adt', restMs });
      }
      if (chosen.has('query')) {
        const title = 'Gatehouse, query to GP record';
        const port = gatehouse.ports['gp-record'] ?? 0;
        const asked = { ...gatehouse, port };
        subjects.push({ subject: 'query', title, server: asked, message: 'query', restMs });
      }
    }
    if (chosen.has('peers')) {
      const peer = await server('node-hl7-server');
      const title = 'node-hl7-server 2.5, storing nothing';
      subjects.push({ subject: 'node-hl7-server', title, server: peer, ...idle });
      subjects.push({
        subject: 'node-hl7-server reconnecting',
        title: '  a new connection for each message',
        server: peer,
        reconnect: true,
        ...idle,
      });
      const simple = await server('simple-hl7');
      const other = 'simple-hl7 3.3, storing nothing';
      subjects.push({ subject: 'simple-hl7', title: other, server: simple, ...idle });
    }
    return await measureServers(subjects, schedule, () => syncRate(folder, threadMs), tell);
  } finally {
    await Promise.all(stops.map((stop) => stop()));
  }
}

function chosenParts(names: readonly string[] = parts): ReadonlySet<Part> {
  const unknown = names.filter((name) => !(parts as readonly string[]).includes(name));
  if (unknown.length > 0)
    usage(`there is no part "${unknown.join(', ')}"; known: ${parts.join(', ')}`);
  return new Set(names as Part[]);
}

function connectionCounts(texts: readonly string[] = ['1', '8', '32', '64']): number[] {
  const counts = texts.map(Number);
  const wrong = counts.some((count) => !Number.isInteger(count) || count < 1 || count > 250);
  if (wrong) usage('--connections takes numbers from 1 to 250, such as 32,64');
  return counts;
}

function usage(complaint: string): never {
  process.stderr.write(`bench: ${complaint}\n`);
  process.exit(64);
}

function tell(text: string): void {
  process.stderr.write(`${text} …\n`);
}
