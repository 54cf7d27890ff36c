/**
 * One journal and all who have to do with it: senders and a receiver that live on, and a Gatehouse
 * that has many lives. At the end comes a life in which nothing happens, and then the law.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Judgement, judge } from './law.ts';
import { type Random, wholeBetween } from './part.ts';
import { startReceiver } from './receiver.ts';
import type { Receiver } from './receiver.ts';
import { adt } from './samples.ts';
import { type Senders, createSenders } from './senders.ts';
import { type Ending, NotStarted, type Server, type ServerOptions, startServer } from './server.ts';
import { type ProofSite, brief, channel, channels, delivery, writeSite } from './site.ts';

export interface CellOptions {
  folder: string;
  random: Random;
  imports?: readonly string[];
  /** Connections that send. 32. */
  senders?: number;
  destination?: ProofSite['destination'];
  /** Ends whatever is under way. */
  signal?: AbortSignal;
}

/** How one life is to go. */
export interface Life {
  imports?: readonly string[];
  env?: Readonly<Record<string, string>>;
  under?: readonly string[];
  /** Acknowledgements after which it is told to end. */
  acknowledgements: number;
  /** Called once there were half as many. */
  halfway?(server: Server): void;
  /** End it now: called once there were so many. */
  end(server: Server): void;
  /** Nothing more is sent from then on. */
  quiet?: boolean;
}

export interface Cell {
  data: string;
  site: string;
  /** A file that does not exist before `arm`. */
  armed: string;
  arm(): void;
  senders: Senders;
  receiver: Receiver;
  /** Start a server on the journal, without sending. @throws NotStarted */
  start(life?: Pick<ServerOptions, 'imports' | 'env' | 'under' | 'signal'>): Promise<Server>;
  /** Send to a server. */
  load(server: Server): void;
  /** Have a server read another configuration: every queue makes way for another one. */
  reload(server: Server): void;
  /** Hang up. */
  cut(): void;
  /**
   * One life, from its start to its end.
   * @returns how it ended; undefined where it did not end by itself and had to be killed
   */
  live(life: Life): Promise<Ending | undefined>;
  /**
   * The last life: everything is sent, delivered and told to the journal; then the law is held.
   * @param stillMs how long nothing may arrive before what is left counts as never delivered
   */
  settle(stillMs?: number): Promise<Judgement>;
  close(): Promise<void>;
}

/** How long so many acknowledgements, or one step, may take; and nothing be delivered at the end. */
const loadMs = 60_000;
const stepMs = 30_000;
const still = 15_000;

/** The 40th message, and then each of so many, is answered with another one's acknowledgement. */
const foreignEvery = 2500;

export async function openCell(options: CellOptions): Promise<Cell> {
  const { folder, random, destination } = options;
  const data = join(folder, 'data');
  const site = join(folder, 'site');
  const armed = join(folder, 'armed');
  mkdirSync(folder, { recursive: true });
  const receiver = await startReceiver();
  let arrivals = 0;
  receiver.react = () => {
    if (arrivals++ % foreignEvery === 40) return 'foreign';
    return random() < 0.05 ? wholeBetween(random, 0, 5) : 'accept';
  };
  let connections = 24;
  const configure = (): void => writeSite(site, { port: receiver.port, connections, destination });
  configure();
  const senders = createSenders({ count: options.senders ?? 32, name: 'S', build: adt });
  const passing = createSenders({ count: 2, name: 'B', build: adt });
  let server: Server | undefined;
  options.signal?.addEventListener('abort', () => server?.kill());

  async function start(life: Parameters<Cell['start']>[0] = {}): Promise<Server> {
    const imports = [...(options.imports ?? []), ...(life.imports ?? [])];
    server = await startServer({ ...life, site, data, imports }, channels);
    return server;
  }

  function load(to: Server): void {
    senders.resume();
    senders.start(to.ports[channel] ?? 0);
    passing.start(to.ports[brief] ?? 0);
  }

  function cut(): void {
    senders.cut();
    passing.cut();
  }

  /** Wait for everything acknowledged to be accepted. @returns whether it was, in the end */
  async function drained(stillMs: number): Promise<boolean> {
    const waiting = senders.acknowledged.values();
    let one = waiting.next();
    const isDone = (): boolean => {
      while (!one.done && receiver.accepted.has(one.value)) one = waiting.next();
      return one.done === true;
    };
    for (let before = -1; receiver.accepted.size > before;) {
      before = receiver.accepted.size;
      if (await until(isDone, stillMs)) return true;
    }
    return false;
  }

  return {
    data,
    site,
    armed,
    arm: () => writeFileSync(armed, ''),
    senders,
    receiver,
    start,
    load,
    cut,
    reload(server) {
      connections = connections === 24 ? 16 : 24;
      configure();
      server.kill('SIGHUP');
    },
    async live(life) {
      rmSync(armed, { force: true });
      const running = await start(life);
      let ending: Ending | undefined;
      void running.ended.then((how) => (ending = how));
      const wanted = senders.acknowledged.size + life.acknowledgements;
      load(running);
      const reached = (count: number) => () => senders.acknowledged.size >= count || !!ending;
      if (life.halfway) {
        await until(reached(wanted - Math.floor(life.acknowledgements / 2)), loadMs);
        life.halfway(running);
      }
      const enough = await until(reached(wanted), loadMs);
      if (!enough) throw new Error(`no ${life.acknowledgements} acknowledgements in ${loadMs} ms`);
      if (life.quiet) void senders.finish();
      if (life.quiet) passing.cut();
      life.end(running);
      await until(() => !!ending, stepMs);
      const byItself = ending;
      running.kill();
      await running.ended;
      cut();
      return byItself;
    },
    async settle(stillMs = still) {
      rmSync(armed, { force: true });
      const running = await start();
      load(running);
      passing.cut();
      await senders.finish();
      const empty = await drained(stillMs);
      running.kill('SIGTERM');
      const { code, signal } = await running.ended;
      cut();
      const { broken, found } = await judge({
        senders,
        receiver,
        build: adt,
        data,
        channel,
        delivery,
      });
      if (!empty)
        broken.unshift(`nothing was delivered any more for ${stillMs} ms, and not all was`);
      if (code !== 0) broken.unshift(`the last life ended with ${signal ?? code}`);
      return { broken, found };
    },
    async close() {
      cut();
      server?.kill();
      await receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A life that dies while it starts, or soon after.
 * @returns whether it died by itself or by the signal; else it was killed once it listened
 */
export async function dieStarting(
  cell: Cell,
  life: Pick<Life, 'imports' | 'env'> & { signal?: AbortSignal },
): Promise<boolean> {
  try {
    const server = await cell.start(life);
    server.kill();
    await server.ended;
    return false;
  } catch (error) {
    if (error instanceof NotStarted && error.ending.signal === 'SIGKILL') return true;
    throw error;
  }
}

/** Wait until something holds. @returns whether it does, after so many milliseconds at most */
export async function until(holds: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return true;
}
