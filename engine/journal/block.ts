/**
 * The bytes of a block: the appends that one commit stores for one channel, one after the other.
 *
 *     append := id f64 · exchange f64 · header length u32 · bodies length u32 · header · bodies
 *     header := JSON [[[kind, at, length of its body or -1, note?] …], keys?]
 *
 * Numbers are little-endian. Bodies are stored as they came.
 *
 * Marks of delivery lie together, in one append whose exchange is 0 and which has no header: its
 * bodies are pairs of f64, an exchange (negative where the answer was not delivered) and the time.
 */
import type { Entry, EntryKind, ExchangeId, Keys } from './journal.ts';

/** In the order of their numbers in the header: append to this list, never reorder it. */
const kinds: readonly EntryKind[] = [
  'received',
  'broken',
  'step',
  'asking',
  'reply',
  'answer',
  'delivered',
  'undelivered',
  'outbound',
  'operator',
];
const numberOf = new Map(kinds.map((kind, index) => [kind, index]));
export const prefixLength = 24;
export const markLength = 16;
const startCapacity = 64 * 1024;

type HeaderEntry = [kind: number, at: number, length: number, note?: Entry['note']];
type Header = [entries: HeaderEntry[], keys?: Keys];

/** A block under construction. `bytes` is all of a memory that the writer's thread can read. */
export interface Block {
  bytes: Buffer<SharedArrayBuffer>;
  length: number;
  appends: number;
}

/** A mark of delivery: what became of an exchange's answer, and when (microseconds since 1970). */
export interface Mark {
  exchange: ExchangeId;
  outcome: 'delivered' | 'undelivered';
  at: number;
}

/** What one `append` stored. */
export interface Append {
  /** Microseconds since 1970: when it was made; orders the appends of an exchange. */
  id: number;
  exchange: ExchangeId;
  entries: Entry[];
  keys: Keys;
}

/** An empty block. @param memory what it is built in; it moves into a larger one by itself */
export function startBlock(memory = new SharedArrayBuffer(startCapacity)): Block {
  return { bytes: Buffer.from(memory), length: 0, appends: 0 };
}

/**
 * Copy one append into a block; the caller may reuse its bytes at once.
 * @throws TypeError where a note cannot be written as JSON; the block is then as it was
 */
export function addAppend(
  block: Block,
  id: number,
  exchange: ExchangeId,
  entries: readonly Entry[],
  keys?: Keys,
): void {
  let bodies = 0;
  const described: HeaderEntry[] = [];
  for (const { kind, at, note, body } of entries) {
    const number = numberOf.get(kind);
    if (number === undefined) throw new TypeError(`no such kind of entry: ${kind}`);
    const length = body === undefined ? -1 : body.length;
    described.push(note === undefined ? [number, at, length] : [number, at, length, note]);
    if (body !== undefined) bodies += body.length;
  }
  const header = JSON.stringify(keys === undefined ? [described] : [described, keys]);

  // A UTF-16 unit takes at most three bytes of UTF-8.
  reserve(block, prefixLength + header.length * 3 + bodies);
  const { bytes } = block;
  const headerAt = block.length + prefixLength;
  const headerLength = bytes.write(header, headerAt, 'utf8');
  bytes.writeDoubleLE(id, block.length);
  bytes.writeDoubleLE(exchange, block.length + 8);
  bytes.writeUInt32LE(headerLength, block.length + 16);
  bytes.writeUInt32LE(bodies, block.length + 20);
  let at = headerAt + headerLength;
  for (const { body } of entries) {
    if (body === undefined) continue;
    bytes.set(body, at);
    at += body.length;
  }
  block.length = at;
  block.appends += 1;
}

/** Put marks of delivery into a block, as one append. */
export function addMarks(block: Block, id: number, marks: readonly Mark[]): void {
  const bodies = marks.length * markLength;
  reserve(block, prefixLength + bodies);
  const { bytes } = block;
  bytes.writeDoubleLE(id, block.length);
  bytes.writeDoubleLE(0, block.length + 8);
  bytes.writeUInt32LE(0, block.length + 16);
  bytes.writeUInt32LE(bodies, block.length + 20);
  let at = block.length + prefixLength;
  for (const mark of marks) {
    bytes.writeDoubleLE(mark.outcome === 'delivered' ? mark.exchange : -mark.exchange, at);
    bytes.writeDoubleLE(mark.at, at + 8);
    at += markLength;
  }
  block.length = at;
  block.appends += 1;
}

/**
 * The appends in a block, in order; each mark of delivery as an append of its exchange.
 * @param want.exchange read this exchange alone; the others are passed over unread
 * @param want.bodies false leaves the bodies out
 * @returns bodies that are copies, so that a short one does not keep a whole block in memory
 */
export function* appendsIn(
  bytes: Buffer,
  want: { exchange?: ExchangeId; bodies?: boolean } = {},
): Generator<Append> {
  let at = 0;
  while (at < bytes.length) {
    const id = bytes.readDoubleLE(at);
    const exchange = bytes.readDoubleLE(at + 8);
    const bodiesAt = at + prefixLength + bytes.readUInt32LE(at + 16);
    const end = bodiesAt + bytes.readUInt32LE(at + 20);
    if (exchange === 0) {
      yield* marksIn(bytes.subarray(bodiesAt, end), id, want.exchange);
    } else if (want.exchange === undefined || want.exchange === exchange) {
      const header = bytes.toString('utf8', at + prefixLength, bodiesAt);
      const [described, keys = {}] = JSON.parse(header) as Header;
      const bodies = want.bodies === false ? undefined : bytes.subarray(bodiesAt, end);
      yield { id, exchange, entries: readEntries(described, bodies), keys };
    }
    at = end;
  }
}

function* marksIn(bodies: Buffer, id: number, wanted?: ExchangeId): Generator<Append> {
  for (let at = 0; at < bodies.length; at += markLength) {
    const signed = bodies.readDoubleLE(at);
    const exchange = Math.abs(signed);
    if (wanted !== undefined && wanted !== exchange) continue;
    const kind = signed > 0 ? 'delivered' : 'undelivered';
    yield { id, exchange, entries: [{ kind, at: bodies.readDoubleLE(at + 8) }], keys: {} };
  }
}

function readEntries(described: HeaderEntry[], bodies: Buffer | undefined): Entry[] {
  let start = 0;
  return described.map(([number, at, length, note]) => {
    const kind = kinds[number];
    if (kind === undefined) throw new RangeError(`no such kind of entry: ${number}`);
    const entry: Entry = { kind, at };
    if (note !== undefined) entry.note = note;
    if (length >= 0 && bodies !== undefined) {
      entry.body = new Uint8Array(bodies.subarray(start, start + length));
      start += length;
    }
    return entry;
  });
}

function reserve(block: Block, more: number): void {
  const needed = block.length + more;
  if (needed <= block.bytes.length) return;
  const larger = Buffer.from(new SharedArrayBuffer(Math.max(needed, block.bytes.length * 2)));
  block.bytes.copy(larger, 0, 0, block.length);
  block.bytes = larger;
}
