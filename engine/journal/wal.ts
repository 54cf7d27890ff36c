/**
 * Reading a write-ahead log as SQLite does (https://sqlite.org/fileformat2.html#the_write_ahead_log),
 * to notice what SQLite passes over in silence: from the first frame on whose checksum is wrong it
 * ignores all that follow, as if they had never been committed.
 */
import { pageSize } from './database.ts';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A page as the log holds it. */
export interface WalFrame {
  page: number;
  /** Where its bytes begin in the file. */
  at: number;
}

export interface Wal {
  pageSize: number;
  /** Frames of the present generation, up to the last that ends a transaction. */
  frames: WalFrame[];
  /** Transactions that SQLite will take. */
  taken: number;
  /** Transactions of which there are frames that SQLite will not take. */
  ignored: number;
  /** Then SQLite takes nothing of it; what can be told is told by the first frame. */
  headerDamaged: boolean;
}

const headerLength = 32;
const frameHeader = 24;
const magic = 0x377f0682;

/** Read a log whose database nobody has open for writing. @returns undefined where there is none */
export function readWal(file: string): Wal | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    const header = Buffer.alloc(headerLength);
    if (size === 0) return undefined;
    readSync(descriptor, header, 0, headerLength, 0);
    const sum = createChecksum((header.readUInt32BE(0) & 1) === 0);
    sum.add(header.subarray(0, 24));
    const known = (header.readUInt32BE(0) & ~1) >>> 0 === magic;
    if (known && sum.is(header.subarray(24))) {
      const [of, salts] = [header.readUInt32BE(8), header.subarray(16, 24)];
      return { ...readFrames(descriptor, size, of, salts, sum), headerDamaged: false };
    }
    const first = Buffer.alloc(frameHeader);
    readSync(descriptor, first, 0, frameHeader, headerLength);
    const guessed = readFrames(descriptor, size, pageSize, first.subarray(8, 16), sum);
    return { ...guessed, taken: 0, headerDamaged: true };
  } finally {
    closeSync(descriptor);
  }
}

function readFrames(
  descriptor: number,
  size: number,
  pageSize: number,
  salts: Buffer,
  sum: Checksum,
): Omit<Wal, 'headerDamaged'> {
  const wal = { pageSize, frames: [] as WalFrame[], taken: 0, ignored: 0 };
  const all: WalFrame[] = [];
  const frame = Buffer.alloc(frameHeader + pageSize);
  let good = true;
  let ended = 0;
  for (let at = headerLength; at + frame.length <= size; at += frame.length) {
    readSync(descriptor, frame, 0, frame.length, at);
    // Of an earlier generation, which was checkpointed long ago, or damaged just there.
    if (!frame.subarray(8, 16).equals(salts)) {
      good = false;
      continue;
    }
    sum.add(frame.subarray(0, 8));
    sum.add(frame.subarray(frameHeader));
    good &&= sum.is(frame.subarray(16, 24));
    all.push({ page: frame.readUInt32BE(0), at: at + frameHeader });
    if (frame.readUInt32BE(4) === 0) continue;
    ended = all.length;
    if (good) wal.taken += 1;
    else wal.ignored += 1;
  }
  wal.frames = all.slice(0, ended);
  return wal;
}

type Checksum = ReturnType<typeof createChecksum>;

/** SQLite's two sums over pairs of 32-bit words, each frame's on top of the one before. */
function createChecksum(littleEndian: boolean) {
  let first = 0;
  let second = 0;
  return {
    add(bytes: Buffer): void {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at < bytes.length; at += 8) {
        first = (first + view.getUint32(at, littleEndian) + second) >>> 0;
        second = (second + view.getUint32(at + 4, littleEndian) + first) >>> 0;
      }
    },
    /** Stored big-endian whatever the words are. */
    is: (stored: Buffer): boolean =>
      stored.readUInt32BE(0) === first && stored.readUInt32BE(4) === second,
  };
}
