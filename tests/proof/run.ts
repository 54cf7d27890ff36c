/**
 * `npm run proof` and `npm run proof:soak`: whether a positive acknowledgement means that the
 * message is safe, tried against everything that can go wrong on one machine. What is tried, and
 * what it does not say: docs/proof.md.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeMachine } from '../../bench/machine.ts';
import { parts } from './parts.ts';
import type { Part } from './part.ts';
import { plantedBugs } from './planted.ts';
import { recorded, written } from './report.ts';
import type { Report } from './report.ts';
import { type Plan, proofFolder, runParts } from './trial.ts';

interface Options {
  only?: string[];
  seed: number;
  minutes?: number;
  soak?: boolean;
  planted?: boolean;
  data?: string;
  output: 'table' | 'json';
}

const options = new Command('npm run proof --')
  .description('Try to make Gatehouse lose, double or disorder a message, on this machine alone.')
  .addOption(new Option('--only <parts>', 'some parts, such as kill,power').argParser(list))
  .addOption(
    new Option('--seed <number>', 'repeat the choices of an earlier run')
      .argParser(whole)
      .default(Date.now() % 1_000_000, 'the time'),
  )
  .addOption(
    new Option('--minutes <number>', 'a shorter run, which proves less').argParser(positive),
  )
  .option('--soak', 'the long run instead (npm run proof:soak)')
  .option('--planted', 'show that the proof fails for each of the bugs planted on purpose')
  .option('--data <folder>', 'where the journals go; must be on a disk')
  .addOption(
    new Option('-o, --output <form>', 'form of the output')
      .choices(['table', 'json'])
      .default('table'),
  )
  .parse()
  .opts<Options>();

const tell = (text: string): void => void process.stderr.write(`${text}\n`);
const began = performance.now();
const suite = options.soak ? 'soak' : 'proof';
const chosen = chosenParts();
const fullMinutes = chosen.reduce((sum, { minutes }) => sum + minutes, 0);
const share = Math.min(1, (options.minutes ?? fullMinutes) / fullMinutes);
const folder = proofFolder(options.data);
const plan: Plan = { parts: chosen, seed: options.seed, share, folder, imports: [], tell };
const machine = describeMachine(folder);
tell(`seed ${options.seed}, about ${Math.ceil(fullMinutes * share)} minutes`);

const results = options.planted ? await plantedBugs(plan) : await runParts(plan);

const report: Report = {
  kind: 'proof',
  version: 1,
  suite: options.planted ? 'planted' : suite,
  date: new Date().toISOString().slice(0, 10),
  command: ['npm run', options.soak ? 'proof:soak' : 'proof', ...given()].join(' '),
  seed: options.seed,
  machine,
  minutes: (performance.now() - began) / 60_000,
  results,
};
process.stdout.write(
  options.output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : written(report),
);
// A short run, or some of the parts, would take the place of one that says more.
if (options.only === undefined && share === 1) recorded(report);
// What a part that did not end in time has left behind must not keep us.
process.exit(results.some(({ holds }) => !holds) ? 1 : 0);

function chosenParts(): Part[] {
  const known = parts.filter((part) => part.suite === suite);
  const names = options.only ?? known.map(({ name }) => name);
  const unknown = names.filter((name) => !known.some((part) => part.name === name));
  if (unknown.length > 0 || known.length === 0) {
    tell(`proof: there is no part "${unknown.join(', ')}"; known: ${known.map(nameOf).join(', ')}`);
    process.exit(64);
  }
  return known.filter(({ name }) => names.includes(name));
}

function nameOf({ name }: Part): string {
  return name;
}

/** What was asked for, as it has to be typed to repeat it. */
function given(): string[] {
  const words = [`--seed ${options.seed}`];
  if (options.planted) words.push('--planted');
  if (options.only) words.push(`--only ${options.only.join()}`);
  if (options.minutes) words.push(`--minutes ${options.minutes}`);
  return ['--', ...words];
}

function list(text: string): string[] {
  return text.split(',');
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a number such as 4711.');
  return Number(text);
}

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('It is a number of minutes.');
  return Number(text);
}
