/**
 * Reading journal.sqlite without SQLite, page by page, when SQLite cannot: every page that looks like
 * a leaf of a table is searched for rows of the shape of ours, whatever the pages above it say
 * (https://sqlite.org/fileformat2.html). What is found here proves nothing: a block is believed when
 * it opens with its key, which nothing but a block does.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { pageSize as ourPageSize } from './database.ts';
import { readWal } from './wal.ts';

/** A row of `block` as it was found; the body may lie on pages of its own. */
export interface FoundBlock {
  kind: 'block';
  id: number;
  channel: number;
  key: number;
  appends: number;
  tag: Buffer;
  /** Each way its body can be read: with the log and without it. */
  bodies(): Generator<Buffer>;
}

export type Found =
  | FoundBlock
  | { kind: 'key'; id: number; ring: Buffer; salt: Buffer }
  | { kind: 'channel'; id: number; name: string; forgotten: number; cleared: number };

/** A damaged database: its pages, with and without what its log holds. */
export interface Carved {
  /** In bytes, for telling how far it has come. */
  size: number;
  /** @param at called with the bytes that are done, now and then */
  rows(at?: (done: number) => void): Generator<Found>;
  close(): void;
}

type Page = (number: number) => Buffer | undefined;
type Value = number | Buffer | null;

const leafOfTable = 0x0d;
const pagesPerTick = 4096;

/** Open a database file, and its log where there is one, to search them. */
export function carve(file: string): Carved {
  const descriptors = [openSync(file, 'r')];
  const main = descriptors[0] as number;
  const wal = readWal(`${file}-wal`);
  const log = wal ? openSync(`${file}-wal`, 'r') : undefined;
  if (log !== undefined) descriptors.push(log);
  const pageSize = wal && !wal.headerDamaged ? wal.pageSize : pageSizeOf(main);
  const frames = wal?.frames ?? [];
  const latest = new Map(frames.map(({ page, at }) => [page, at]));
  const { size } = fstatSync(main);

  function read(descriptor: number, at: number): Buffer | undefined {
    const page = Buffer.alloc(pageSize);
    return readSync(descriptor, page, 0, pageSize, at) === pageSize ? page : undefined;
  }

  const ofMain: Page = (number) => read(main, (number - 1) * pageSize);
  const ofLog: Page = (number) => {
    const at = latest.get(number);
    return at === undefined || log === undefined ? ofMain(number) : read(log, at);
  };

  return {
    size: size + frames.length * pageSize,
    *rows(at = () => {}) {
      for (let number = 1; number <= size / pageSize; number++) {
        const page = ofMain(number);
        if (page) yield* rowsOf(page, number === 1 ? 100 : 0, [ofLog, ofMain]);
        if (number % pagesPerTick === 0) at(number * pageSize);
      }
      for (const [number, frame] of frames.entries()) {
        const page = log === undefined ? undefined : read(log, frame.at);
        if (page) yield* rowsOf(page, frame.page === 1 ? 100 : 0, [ofLog, ofMain]);
        if (number % pagesPerTick === 0) at(size + number * pageSize);
      }
    },
    close: () => descriptors.forEach((descriptor) => closeSync(descriptor)),
  };
}

/** As the header says or, where that cannot be, as we make them. */
function pageSizeOf(descriptor: number): number {
  const header = Buffer.alloc(18);
  readSync(descriptor, header, 0, header.length, 0);
  const told = header.readUInt16BE(16);
  const possible = told >= 512 && told <= 32768 && (told & (told - 1)) === 0;
  return possible ? told : ourPageSize;
}

function* rowsOf(page: Buffer, start: number, ways: Page[]): Generator<Found> {
  if (page[start] !== leafOfTable) return;
  const cells = page.readUInt16BE(start + 3);
  if (start + 8 + cells * 2 > page.length) return;
  for (let n = 0; n < cells; n++) {
    try {
      const found = rowAt(page, page.readUInt16BE(start + 8 + n * 2), ways);
      if (found) yield found;
    } catch (error) {
      // What is no row, or only part of one, ends where it cannot be read on.
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

function rowAt(page: Buffer, at: number, ways: Page[]): Found | undefined {
  const [length, afterLength] = varint(page, at);
  const [id, start] = varint(page, afterLength);
  const local = localLength(length, page.length);
  const payload = page.subarray(start, start + local);
  const types = serialTypes(payload);
  const whole = types.reduce((sum, type) => sum + lengthOf(type), varint(payload, 0)[0]);
  if (types[0] !== 0 || whole !== length) return undefined;
  const first = page.readUInt32BE(start + Math.min(local, page.length - start - 4));
  const shape = types.slice(1).map(shapeOf).join(' ');
  if (shape === 'integer integer integer blob blob' && types[4] === 44) {
    const [, channel, key, appends, tag] = values(payload, types, 5);
    const bodies = function* (): Generator<Buffer> {
      for (const way of local === length ? [ways[0] as Page] : ways) {
        const rest = local === length ? Buffer.alloc(0) : overflow(way, first, length - local);
        const record = Buffer.concat([payload, rest]);
        if (record.length === length) yield record.subarray(length - lengthOf(types[5] ?? 0));
      }
    };
    return { kind: 'block', id, ...({ channel, key, appends, tag } as BlockColumns), bodies };
  }
  const [, a, b, c] = local === length ? values(payload, types, types.length) : [];
  if (shape === 'blob blob' && types[1] === 28 && types[2] === 76) {
    return { kind: 'key', id, ring: Buffer.from(a as Buffer), salt: Buffer.from(b as Buffer) };
  }
  if (shape === 'text integer integer') {
    const name = (a as Buffer).toString('utf8');
    return { kind: 'channel', id, name, forgotten: b as number, cleared: c as number };
  }
  return undefined;
}

type BlockColumns = Pick<FoundBlock, 'channel' | 'key' | 'appends' | 'tag'>;

/** The bytes of a row that lie on further pages, each of which names the next. */
function overflow(page: Page, first: number, length: number): Buffer {
  const parts: Buffer[] = [];
  let left = length;
  for (let number = first; number > 0 && left > 0;) {
    const part = page(number);
    if (!part) break;
    parts.push(part.subarray(4, Math.min(part.length, 4 + left)));
    left -= part.length - 4;
    number = part.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** How much of a row of a table lies on its leaf. */
function localLength(length: number, usable: number): number {
  const most = usable - 35;
  if (length <= most) return length;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  return fitting <= most ? fitting : least;
}

function serialTypes(payload: Buffer): number[] {
  const [headerLength, start] = varint(payload, 0);
  const types: number[] = [];
  for (let at = start; at < headerLength && types.length < 8;) {
    const [type, next] = varint(payload, at);
    types.push(type);
    at = next;
  }
  return types;
}

function shapeOf(type: number): string {
  if (type >= 1 && type <= 9 && type !== 7) return 'integer';
  if (type < 12) return 'other';
  return type % 2 === 0 ? 'blob' : 'text';
}

/** How many bytes a value of a serial type takes. */
function lengthOf(type: number): number {
  return type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0);
}

/** The first columns of a record. @throws RangeError where it ends before */
function values(payload: Buffer, types: readonly number[], count: number): Value[] {
  let at = varint(payload, 0)[0];
  return types.slice(0, count).map((type) => {
    const length = lengthOf(type);
    const bytes = payload.subarray(at, at + length);
    if (bytes.length < length) throw new RangeError('the record ends here');
    at += length;
    if (type === 0) return null;
    if (type >= 12) return bytes;
    if (type >= 8) return type - 8;
    return length === 8 ? Number(bytes.readBigInt64BE(0)) : bytes.readIntBE(0, length);
  });
}

/** A number of 1 to 9 bytes, seven bits each and eight in the last. @throws RangeError */
function varint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let n = 0; n < 9; n++) {
    const byte = bytes.readUInt8(at + n);
    if (n === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + n + 1];
  }
  throw new RangeError('no number');
}
