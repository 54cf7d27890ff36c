/**
 * Servers side by side: in each repetition every one of them is measured at every number of
 * connections, one after the other, so that a slow minute of the machine meets all alike; ratios
 * are taken within the repetition.
 */
import { type Server, atRest, cpuTime, forgetPeak, peakMemory, startChild } from './children.ts';
import { type ServerRow, type Spread, spread, spreadOf } from './figures.ts';
import type { LoadRequest, LoadResult } from './processes/load.ts';

/** What is measured: a running server, and how it is talked to. */
export interface Subject {
  subject: string;
  title: string;
  server: Server;
  message: LoadRequest['message'];
  reconnect?: boolean;
  /** It puts work off for less than this, milliseconds. */
  restMs: number;
}

export interface Schedule {
  repetitions: number;
  connections: number[];
  /** Milliseconds: once for each server at the start, and before each measurement. */
  runInMs: number;
  warmUpMs: number;
  measureMs: number;
}

/** One measurement. */
interface Trial extends LoadResult {
  cpu?: number;
  peak?: number;
}

/** Trials of one repetition at one number of connections, by subject; and the disk beside them. */
interface Round {
  connections: number;
  trials: Map<string, Trial>;
  syncs?: number;
}

/**
 * Measure every subject; the first is what the others are compared with.
 * @param syncRate measures the disk, beside each round with one connection
 * @param tell says how far it is
 */
export async function measureServers(
  subjects: Subject[],
  schedule: Schedule,
  syncRate: () => number,
  tell: (text: string) => void,
): Promise<ServerRow[]> {
  const rounds: Round[] = [];
  const failed = new Map<string, string>();
  const load = createLoad();
  try {
    tell('running in');
    // A server runs for months, and its code is compiled in the first seconds.
    for (const subject of subjects) {
      await load.run(requestOf(subject, 32, 0, schedule.runInMs));
      await atRest(subject.server.pid, subject.restMs);
    }
    for (let repetition = 1; repetition <= schedule.repetitions; repetition++) {
      for (const connections of schedule.connections) {
        tell(`repetition ${repetition} of ${schedule.repetitions}, at ${connections}`);
        const round: Round = { connections, trials: new Map() };
        if (connections === 1) round.syncs = syncRate();
        for (const subject of subjects) {
          const setting = `${subject.subject} ${connections}`;
          // What fails once is not trusted again.
          if (failed.has(setting)) continue;
          const request = requestOf(subject, connections, schedule.warmUpMs, schedule.measureMs);
          const trial = await measure(subject, load, request);
          if (trial.failure === undefined) round.trials.set(subject.subject, trial);
          else failed.set(setting, trial.failure);
        }
        rounds.push(round);
      }
    }
  } finally {
    await load.stop();
  }
  return schedule.connections.flatMap((connections) =>
    subjects.map(({ subject, title }) => {
      const failure = failed.get(`${subject} ${connections}`);
      const row: ServerRow = { subject, title, connections, failure };
      if (failure !== undefined) return row;
      const mine = rounds.filter((round) => round.connections === connections);
      return { ...row, ...summary(mine, subject, subjects[0]?.subject ?? subject) };
    }),
  );
}

function requestOf(
  { server, message, reconnect }: Subject,
  connections: number,
  warmUpMs: number,
  measureMs: number,
): LoadRequest {
  return { port: server.port, message, connections, warmUpMs, measureMs, reconnect };
}

/** The load's process; begun anew after it had to be stopped. */
function createLoad() {
  let process: Awaited<ReturnType<typeof startChild>> | undefined;
  return {
    async run(request: LoadRequest): Promise<LoadResult> {
      process ??= await startChild('load');
      const limitMs = request.warmUpMs + request.measureMs + 15_000;
      try {
        return await process.ask<LoadResult>(request, limitMs);
      } catch (error) {
        await process.stop();
        process = undefined;
        return { answered: 0, perSecond: 0, p50: 0, p99: 0, failure: (error as Error).message };
      }
    },
    stop: async () => process?.stop(),
  };
}

async function measure(
  { server, restMs }: Subject,
  load: ReturnType<typeof createLoad>,
  request: LoadRequest,
): Promise<Trial> {
  const { pid } = server;
  forgetPeak(pid);
  const before = cpuTime(pid);
  const result = await load.run(request);
  // What was put off until after the answers belongs to their price.
  await atRest(pid, restMs);
  const after = cpuTime(pid);
  const cpu =
    before === undefined || after === undefined || result.answered === 0
      ? undefined
      : ((after - before) * 1000) / result.answered;
  return { ...result, cpu, peak: peakMemory(pid) };
}

/** The figures of one subject over its repetitions, and beside those of the yardstick. */
function summary(rounds: Round[], subject: string, yardstick: string): Partial<ServerRow> {
  const value = (pick: (trial: Trial) => number | undefined): Spread | undefined =>
    spreadOf(rounds, ({ trials }) => {
      const trial = trials.get(subject);
      return trial && pick(trial);
    });
  const times = (pick: (trial: Trial) => number | undefined): Spread | undefined =>
    subject === yardstick
      ? undefined
      : spreadOf(rounds, ({ trials }) => {
          const [mine, other] = [trials.get(subject), trials.get(yardstick)].map(
            (trial) => trial && pick(trial),
          );
          return mine === undefined || !other ? undefined : mine / other;
        });
  const peaks = rounds.map(({ trials }) => trials.get(subject)?.peak ?? Number.NaN);
  const { max } = spread(peaks);
  return {
    perSecond: value((trial) => trial.perSecond),
    share: times((trial) => trial.perSecond),
    p50: value((trial) => trial.p50),
    p99: value((trial) => trial.p99),
    p99Times: times((trial) => trial.p99),
    cpu: value((trial) => trial.cpu),
    cpuTimes: times((trial) => trial.cpu),
    peak: Number.isNaN(max) ? undefined : max,
    syncShare: spreadOf(rounds, ({ trials, syncs }) => {
      const trial = trials.get(subject);
      return trial && syncs ? trial.perSecond / syncs : undefined;
    }),
  };
}
