/**
 * Small queries while large records are fetched: what one record of 3 MB costs everybody else. The
 * same small queries run alone and beside large ones in turn; what counts is how much their p99 grows.
 *
 * The GP system with the large records is another one, as it is in the world: simulated in the same
 * process, it would keep the small queries waiting while it writes and compresses 3 MB. It gives way to
 * the others, for it would not run on this machine at all.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { startChild, startServer } from './children.ts';
import { type Spread, spread } from './figures.ts';
import { startGatehouse } from './gatehouse.ts';
import type { LoadRequest, LoadResult } from './processes/load.ts';
import { largePatient, largeRecord } from './samples.ts';

/** Milliseconds, but for the counts. */
export interface Beside {
  alone: { p50: Spread; p99: Spread };
  beside: { p50: Spread; p99: Spread };
  /** By how much the p99 grew, within a repetition. */
  more: Spread;
  /** The longest time for which the engine's event loop was held, within a repetition. */
  turn: Spread;
  /** How long a large query took, and how many were answered beside the small ones. */
  large: { p50: Spread; answered: number };
  kilobytes: number;
}

const connections = 4;
const largeChannel = 'gp-large';
const megabytes = 3;
/** A third of it is named by lists, as in published records. */
const listedBytes = 1024 ** 2;

/**
 * @param folder an empty one, on a disk
 * @throws Error when an answer is wrong or never comes
 */
export async function measureBeside(
  folder: string,
  schedule: { repetitions: number; runInMs: number; warmUpMs: number; measureMs: number },
  tell: (text: string) => void,
): Promise<Beside> {
  const patients = join(folder, 'patients');
  const record = largeRecord(megabytes * 1024 ** 2, listedBytes);
  cpSync(join(resolve(import.meta.dirname, '..'), 'fixtures', 'patients'), patients, {
    recursive: true,
  });
  const own = record.replaceAll('9465701459', largePatient);
  writeFileSync(join(patients, `${largePatient}.json`), own);
  mkdirSync(join(folder, 'beside'));
  const [simulator, other] = await Promise.all([
    startServer('simulator', [patients]),
    startServer('simulator', [patients]),
  ]);
  setPriority(other.pid, 10);
  const gatehouse = await startGatehouse(
    join(folder, 'beside'),
    `http://127.0.0.1:${simulator.port}`,
    (site) => addChannel(site, `http://127.0.0.1:${other.port}`),
    true,
  );
  const [small, large] = await Promise.all([startChild('load'), startChild('load')]);
  const { runInMs, warmUpMs, measureMs } = schedule;
  const run = async (
    child: typeof small,
    message: LoadRequest['message'],
    count: number,
    ms: number,
  ) => {
    const port = gatehouse.ports[message === 'large' ? largeChannel : 'gp-record'] ?? 0;
    const request = { port, message, connections: count, warmUpMs, measureMs: ms };
    const result = await child.ask<LoadResult>(request, ms + warmUpMs + 15_000);
    if (result.failure !== undefined) throw new Error(`${message} queries: ${result.failure}`);
    return result;
  };
  try {
    tell('small queries beside large ones, running in');
    await Promise.all([run(small, 'query', connections, runInMs), run(large, 'large', 1, runInMs)]);
    const alone: LoadResult[] = [];
    const beside: LoadResult[] = [];
    const larges: LoadResult[] = [];
    const turns: number[] = [];
    for (let repetition = 1; repetition <= schedule.repetitions; repetition++) {
      tell(`small queries beside large ones, ${repetition} of ${schedule.repetitions}`);
      alone.push(await run(small, 'query', connections, measureMs));
      await gatehouse.loop();
      const [theirs, its] = await Promise.all([
        run(small, 'query', connections, measureMs),
        run(large, 'large', 1, measureMs),
      ]);
      beside.push(theirs);
      larges.push(its);
      turns.push((await gatehouse.loop()).longest);
    }
    const times = (all: LoadResult[]) => ({
      p50: spread(all.map(({ p50 }) => p50)),
      p99: spread(all.map(({ p99 }) => p99)),
    });
    return {
      alone: times(alone),
      beside: times(beside),
      turn: spread(turns),
      more: spread(beside.map(({ p99 }, at) => p99 - (alone[at]?.p99 ?? 0))),
      large: {
        p50: times(larges).p50,
        answered: larges.reduce((sum, { answered }) => sum + answered, 0),
      },
      kilobytes: record.length / 1024,
    };
  } finally {
    await Promise.all([small.stop(), large.stop()]);
    await gatehouse.stop();
    await Promise.all([simulator.stop(), other.stop()]);
  }
}

/** The channel of the small queries once more, for patients of another GP system. */
function addChannel(site: string, gp: string): void {
  const channels = join(site, 'channels');
  const text = readFileSync(join(channels, 'gp-record.yaml'), 'utf8')
    .replace(/^channel: gp-record$/m, `channel: ${largeChannel}`)
    .replaceAll('${env:GATEHOUSE_GP:-', '${env:GATEHOUSE_LARGE_GP:-');
  writeFileSync(join(channels, `${largeChannel}.yaml`), text);
  process.env['GATEHOUSE_LARGE_GP'] = gp;
}
