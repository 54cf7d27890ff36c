/**
 * The whole chain: ADT received, committed, acknowledged, delivered to a receiver that acknowledges at
 * once, and what became of it committed. What counts is how many a second are done with altogether.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { engineIn } from '../engine/control/client.ts';
import type { QueueRow } from '../engine/control/queues.ts';
import { cpuTime, startChild, startServer } from './children.ts';
import { type Spread, spread } from './figures.ts';
import { startGatehouse } from './gatehouse.ts';
import type { LoadResult } from './processes/load.ts';

export interface Chain {
  connections: number;
  /** Acknowledged to the sender a second, while the load lasts. */
  acknowledged: Spread;
  /** Delivered, and that in the journal, a second: from the first message until nothing waits. */
  delivered: Spread;
  /** Messages that wait when the load ends. */
  waiting: Spread;
  /** CPU time of the engine per message, microseconds, all threads. */
  cpu?: Spread;
}

const connections = 32;
/** Messages under way to the receiver at a time, each of another patient. */
const deliveries = 16;
const to = 'adt-feed/epr';
const drainLimitMs = 120_000;

/**
 * @param folder an empty one, on a disk
 * @throws Error when an answer is wrong, or what is owed is not delivered
 */
export async function measureChain(
  folder: string,
  schedule: { repetitions: number; runInMs: number; warmUpMs: number; measureMs: number },
  tell: (text: string) => void,
): Promise<Chain> {
  mkdirSync(join(folder, 'chain'));
  const receiver = await startServer('echo');
  const gatehouse = await startGatehouse(join(folder, 'chain'), 'http://127.0.0.1:1', (site) =>
    appendFileSync(
      join(site, 'channels', 'adt-feed.yaml'),
      `\ndeliver: [{ to: epr }]\ndestinations:\n  epr: { kind: feed, port: ${receiver.port}, connections: ${deliveries} }\n`,
    ),
  );
  const load = await startChild('load');
  const engine = engineIn(join(folder, 'chain', 'journal'));
  const queue = async () => {
    const { queue: row } = await engine.get<{ queue: QueueRow }>('/v1/queue', { to });
    return row;
  };
  const { warmUpMs, measureMs, runInMs } = schedule;
  const run = async (ms: number) => {
    const before = (await queue()).delivered;
    const cpuBefore = cpuTime(gatehouse.pid);
    const began = performance.now();
    const request = { port: gatehouse.port, message: 'adt', connections, warmUpMs, measureMs: ms };
    const result = await load.ask<LoadResult>(request, ms + warmUpMs + 15_000);
    if (result.failure !== undefined) throw new Error(`the chain: ${result.failure}`);
    const { depth } = await queue();
    await drained(async () => (await queue()).delivered - before >= result.answered);
    const seconds = (performance.now() - began) / 1000;
    const cpuAfter = cpuTime(gatehouse.pid);
    const cpu = cpuBefore === undefined || cpuAfter === undefined ? 0 : cpuAfter - cpuBefore;
    return {
      acknowledged: result.perSecond,
      delivered: result.answered / seconds,
      waiting: depth,
      cpu: (cpu * 1000) / result.answered,
    };
  };
  try {
    tell('the whole chain, running in');
    await run(runInMs);
    const runs: Awaited<ReturnType<typeof run>>[] = [];
    for (let repetition = 1; repetition <= schedule.repetitions; repetition++) {
      tell(`the whole chain, ${repetition} of ${schedule.repetitions}`);
      runs.push(await run(measureMs));
    }
    const of = (pick: (one: (typeof runs)[number]) => number) => spread(runs.map(pick));
    const cpu = of((one) => one.cpu);
    return {
      connections,
      acknowledged: of((one) => one.acknowledged),
      delivered: of((one) => one.delivered),
      waiting: of((one) => one.waiting),
      ...(cpu.min > 0 && { cpu }),
    };
  } finally {
    await load.stop();
    await gatehouse.stop();
    await receiver.stop();
  }
}

async function drained(isDrained: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + drainLimitMs;
  while (!(await isDrained())) {
    if (performance.now() > deadline) throw new Error('the chain: what is owed is not delivered');
    await wait(20);
  }
}
