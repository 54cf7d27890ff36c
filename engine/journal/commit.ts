/**
 * Group commit, on the engine's own thread: what is appended while a commit runs is gathered into
 * blocks and goes to the writer together, as soon as that commit is done. There is no timer on
 * this path: the longer a commit takes, the more the next one carries.
 */
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { addAppend, addMarks, startBlock } from './block.ts';
import type { Block, Mark } from './block.ts';
import { faultOf } from './database.ts';
import type { Entry, ExchangeId, Keys } from './journal.ts';
import { ThreadGone } from './thread.ts';
import type { Thread } from './thread.ts';
import type { PlainBlock, WriterReply, WriterRequest } from './writer.ts';

export interface GroupCommit {
  /** Resolves when committed; rejects with a FaultError when nothing of it was stored. */
  append(
    exchange: ExchangeId,
    channel: string,
    entries: readonly Entry[],
    keys: Keys | undefined,
  ): Promise<void>;
  /** Goes with the next commit, or within a second. */
  mark(exchange: ExchangeId, outcome: 'delivered' | 'undelivered'): void;
  /** Resolves when all that was given so far is committed or has failed. */
  flush(): Promise<void>;
}

export interface GroupCommitOptions {
  writer: Pick<Thread<WriterRequest, WriterReply>, 'call'>;
  /** Microseconds since 1970, strictly increasing. */
  next(): number;
  /** The channels that the journal knows; new ones are added. */
  channels: Map<string, number>;
  /** Whether a block is stored, for when the writer died before it said so. */
  isStored(block: number): boolean;
  /** Called after each commit with its last block and how many appends it stored. */
  committed(block: number, appends: number): void;
  emit: Emit;
}

interface Waiter {
  resolve(): void;
  reject(error: FaultError): void;
}

/** What the next commit will carry. */
interface Gathering {
  /** By channel number, the block being filled. */
  filling: Map<number, Block>;
  full: [channel: number, block: Block][];
  waiters: Waiter[];
  /** By channel number. Nobody waits for a mark, so it is kept until it is stored. */
  marks: Map<number, Mark[]>;
  marked: number;
}

/** A block ends once it is this long, in bytes; an append longer than that has its own. */
const blockLength = 1024 * 1024;
const leastBlock = 16 * 1024;
/** Memories kept for blocks to come. */
const mostSpare = 8;
/** SQLite's limit for a value is 1,000,000,000 bytes. */
const appendLength = 512 * 1024 * 1024;
/** Marks kept for another try while the journal cannot be written, and answers not yet marked. */
const mostMarks = 100_000;
const markDelayMs = 1000;

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { writer, next, channels, emit } = options;
  let gathering = empty();
  /** The channel of each answer that is still to be delivered, so that its mark lies beside it. */
  const owed = new Map<ExchangeId, number>();
  /** Channels the journal does not hold yet: sent with each commit until one succeeds. */
  const unstored = new Map<string, number>();
  let running: Promise<void> | undefined;
  let scheduled = false;
  let markTimer: NodeJS.Timeout | undefined;
  let lastLength = 0;
  /** Memory of blocks that are stored: thousands a second would be left to the garbage collector. */
  const spare: SharedArrayBuffer[] = [];

  function numberOf(channel: string): number {
    const known = channels.get(channel);
    if (known !== undefined) return known;
    const number = Math.max(0, ...channels.values()) + 1;
    channels.set(channel, number);
    unstored.set(channel, number);
    return number;
  }

  function blockOf(channel: number): Block {
    const filling = gathering.filling.get(channel);
    if (filling !== undefined && filling.length < blockLength) return filling;
    if (filling !== undefined) gathering.full.push([channel, filling]);
    const block = startBlock(memory());
    gathering.filling.set(channel, block);
    return block;
  }

  /** The writer is done with it. What is kept is enough for the commits of a full load. */
  function giveBack({ bytes }: PlainBlock): void {
    if (spare.length < mostSpare && bytes.byteLength <= 2 * blockLength) spare.push(bytes);
  }

  function memory(): SharedArrayBuffer {
    // Under steady load a block becomes about as long as the one before: no copying as it grows.
    const least = Math.min(blockLength, Math.max(leastBlock, Math.ceil(lastLength * 1.25)));
    const last = spare.pop();
    return last && last.byteLength >= least ? last : new SharedArrayBuffer(least);
  }

  /** After the sockets that are readable now have all been read. */
  function schedule(): void {
    if (scheduled || running !== undefined) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (running === undefined) start();
    });
  }

  function start(): void {
    if (gathering.waiters.length === 0 && gathering.marked === 0) return;
    clearTimeout(markTimer);
    markTimer = undefined;
    running = commit().finally(() => {
      running = undefined;
      if (gathering.waiters.length > 0) start();
      else if (gathering.marked > 0) scheduleMarks();
    });
  }

  async function commit(): Promise<void> {
    for (const [channel, marks] of gathering.marks) addMarks(blockOf(channel), next(), marks);
    const taken = gathering;
    gathering = empty();
    const blocks = finished(taken);
    lastLength = Math.max(0, ...blocks.map(({ length }) => length));
    const last = blocks[blocks.length - 1]?.id ?? 0;
    const sent = [...unstored];
    const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
    const began = performance.now();
    try {
      const request: WriterRequest = {
        do: 'commit',
        channels: sent.map(([name, number]) => [number, name]),
        blocks,
      };
      await call(request, last);
    } catch (error) {
      const fault = faultOf(error);
      const { code } = faults[fault.name];
      emit('journal.fault', { code, detail: fault.detail, count: taken.waiters.length });
      for (const [channel, marks] of taken.marks) {
        for (const mark of marks) gatherMark(channel, mark);
      }
      for (const { reject } of taken.waiters) reject(new FaultError(fault, { cause: error }));
      return;
    } finally {
      blocks.forEach(giveBack);
    }
    const ms = performance.now() - began;
    emit('journal.committed', { ms, bytes, count: taken.waiters.length });
    for (const [name] of sent) unstored.delete(name);
    options.committed(
      last,
      blocks.reduce((sum, { appends }) => sum + appends, 0),
    );
    for (const { resolve } of taken.waiters) resolve();
  }

  /** A writer that died may have committed before: then all of it is stored, being one commit. */
  async function call(request: WriterRequest & { do: 'commit' }, last: number): Promise<void> {
    try {
      await writer.call(request);
    } catch (error) {
      if (!(error instanceof ThreadGone) || !options.isStored(last)) throw error;
    }
  }

  function finished({ full, filling }: Gathering): PlainBlock[] {
    return [...full, ...filling]
      .filter(([, { appends }]) => appends > 0)
      .map(([channel, { bytes, length, appends }]) => {
        return { id: next(), channel, appends, length, bytes: bytes.buffer };
      });
  }

  function gatherMark(channel: number, mark: Mark): void {
    if (gathering.marked >= mostMarks) return;
    gathering.marked += 1;
    const marks = gathering.marks.get(channel);
    if (marks === undefined) gathering.marks.set(channel, [mark]);
    else marks.push(mark);
  }

  function scheduleMarks(): void {
    markTimer ??= setTimeout(() => {
      markTimer = undefined;
      if (running === undefined) start();
    }, markDelayMs).unref();
  }

  return {
    append(exchange, channel, entries, keys) {
      return new Promise((resolve, reject) => {
        const length = entries.reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
        if (length > appendLength) {
          const detail = `an append of ${length} bytes; at most ${appendLength} can be stored`;
          reject(new FaultError({ name: 'journalUnavailable', detail }));
          return;
        }
        const number = numberOf(channel);
        addAppend(blockOf(number), next(), exchange, entries, keys);
        if (entries.some(({ kind }) => kind === 'answer') && owed.size < mostMarks) {
          owed.set(exchange, number);
        }
        gathering.waiters.push({ resolve, reject });
        schedule();
      });
    },
    mark(exchange, outcome) {
      const channel = owed.get(exchange) ?? 0;
      owed.delete(exchange);
      gatherMark(channel, { exchange, outcome, at: next() });
      scheduleMarks();
    },
    async flush() {
      // The commit under way, what was gathered meanwhile, and marks that came last. Not until
      // nothing is left: marks that cannot be stored are tried again and again.
      for (let round = 0; round < 3; round++) {
        if (running === undefined) start();
        await running;
      }
    },
  };
}

function empty(): Gathering {
  return { filling: new Map(), full: [], waiters: [], marks: new Map(), marked: 0 };
}
