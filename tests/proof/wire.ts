/** Faults on the wire, before the engine and behind it, and the law over all that was exchanged. */
import { join } from 'node:path';
import { residentMemory } from './resident.ts';
import { until } from './cell.ts';
import { judge } from './law.ts';
import { type Outcome, type Part, type Trial, randomFrom, tooFew } from './part.ts';
import { startReceiver } from './receiver.ts';
import { adt } from './samples.ts';
import { startServer } from './server.ts';
import { channel, channels, delivery, writeSite } from './site.ts';
import { startProxy } from './wire/proxy.ts';
import { startStubborn } from './wire/stubborn.ts';

const exchanges = 100_000;
const senderCount = 64;
/** Once the network is well, all that is under way has to end within so long. */
const calmMs = 120_000;
/** Resident memory may grow so much from the first half of the run to the second. */
const growthBytes = 128 * 1024 ** 2;

export const wire: Part = {
  name: 'wire',
  law: 'whatever the network does to frames, what was acknowledged is in the journal once, delivered in order of its key and flagged wherever it may have arrived twice, nothing is settled by the acknowledgement of something else, and work goes on once the network is well',
  minutes: 3,
  suite: 'proof',
  run: tried,
};

/** Of a thousand frames. A message that was never answered costs its peer the whole timeout. */
const before = {
  requests: {
    ...{ delayed: 10, split: 10, joined: 5, truncated: 4, 'reset before': 4, 'reset after': 4 },
    ...{ doubled: 5, 'after garbage': 5, swapped: 2 },
  },
  replies: {
    ...{ delayed: 10, split: 10, joined: 5, truncated: 3, 'reset before': 4, 'reset after': 4 },
    ...{ doubled: 4, 'after garbage': 4 },
  },
};
const behind = {
  requests: {
    ...{ delayed: 5, split: 5, truncated: 0.6, 'reset before': 0.6, 'reset after': 0.6 },
    ...{ swapped: 0.5 },
  },
  replies: {
    ...{ delayed: 5, split: 5, truncated: 0.6, 'reset before': 0.6, 'reset after': 0.6 },
    ...{ doubled: 0.6, 'after garbage': 0.6 },
  },
};

async function tried(trial: Trial): Promise<Outcome> {
  const { folder, seed, imports } = trial;
  const [site, data] = [join(folder, 'site'), join(folder, 'data')];
  const wanted = trial.count(exchanges);
  const receiver = await startReceiver(adt);
  const out = await startProxy({
    ...behind,
    random: randomFrom(seed, 'wire behind'),
    port: receiver.port,
  });
  writeSite(site, { port: out.port, connections: 24 });
  const server = await startServer({ site, data, imports }, channels);
  const into = await startProxy({
    ...before,
    random: randomFrom(seed, 'wire before'),
    port: server.ports[channel] ?? 0,
  });
  const senders = startStubborn(senderCount, into.port);
  try {
    const peaks: [number, number] = [0, 0];
    const broken: string[] = [];
    let ended = false;
    void server.ended.then(() => (ended = true));
    // The last fifth of the time is for the calm after it.
    const latest = performance.now() + (trial.deadline - performance.now()) * 0.8;
    const isOver = (): boolean => performance.now() > latest || ended || trial.signal.aborted;
    while (senders.acknowledged.size < wanted && !isOver()) {
      const half = senders.acknowledged.size < wanted / 2 ? 0 : 1;
      peaks[half] = Math.max(peaks[half], residentMemory(server.pid));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    if (ended) broken.push(`the server ended: ${server.said().slice(-300)}`);
    into.calm();
    out.calm();
    let idle = false;
    void senders.finish().then(() => (idle = true));
    if (!(await until(() => idle || ended, calmMs))) broken.push('a sender was never answered');
    const acknowledged = senders.acknowledged.values();
    let one = acknowledged.next();
    const arrived = (): boolean => {
      while (!one.done && receiver.accepted.has(one.value)) one = acknowledged.next();
      return one.done === true;
    };
    if (!(await until(() => arrived() || ended, calmMs))) broken.push('a delivery never arrived');
    server.kill('SIGTERM');
    await server.ended;
    const judged = await judge({ senders, receiver, build: adt, data, channel, delivery });
    const grown = peaks[1] - peaks[0];
    if (peaks[0] > 0 && grown > growthBytes) broken.push(`memory grew by ${mega(grown)} MB`);
    broken.push(...judged.broken, ...tooFew('exchanges', senders.acknowledged.size, wanted));
    const faults = [...into.made.values(), ...out.made.values()].reduce((sum, n) => sum + n, 0);
    const tried = { exchanges: senders.acknowledged.size, sendings: senders.sends(), faults };
    const found = { ...judged.found, 'MB resident at most': mega(Math.max(...peaks)) };
    return { tried, found, broken };
  } finally {
    senders.close();
    server.kill();
    await Promise.all([into.close(), out.close(), receiver.close()]);
  }
}

const mega = (bytes: number): number => Math.round(bytes / 1024 ** 2);
