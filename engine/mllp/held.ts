/**
 * The bytes of one frame that is not whole yet, or of a stretch that belongs to no frame: held in
 * one buffer that grows by doubling, so that a frame that comes in single bytes costs no more memory
 * than one that comes at once, and each byte is copied a bounded number of times.
 */

/** Below this, growing again and again costs more than the room. */
const leastRoom = 4096;

const nothing = Buffer.alloc(0);

export interface Held {
  /** Bytes taken so far, held or only counted. */
  length(): number;
  /** Hold `bytes` from `from` to before `to`. */
  add(bytes: Buffer, from: number, to: number): void;
  /** The same, but beyond the cap only count. */
  skip(bytes: Buffer, from: number, to: number): void;
  /** Give everything held, and begin anew. */
  take(): Buffer;
  /** Give what the cap allows and the count of the rest, and begin anew. */
  takeCapped(): { bytes: Buffer; dropped: number };
  /** The first bytes held, at most `count`. */
  beginning(count: number): Buffer;
}

/**
 * @param mostBytes what is ever added; the buffer grows no further
 * @param keepBytes the cap of `skip` and `takeCapped`
 */
export function createHeld(mostBytes: number, keepBytes: number): Held {
  let room: Buffer = nothing;
  let length = 0;
  let dropped = 0;

  function add(bytes: Buffer, from: number, to: number): void {
    if (to === from) return;
    const needed = length + to - from;
    if (needed > room.length) {
      const size = Math.max(needed, Math.min(Math.max(room.length * 2, leastRoom), mostBytes));
      const larger = Buffer.allocUnsafeSlow(size);
      room.copy(larger, 0, 0, length);
      room = larger;
    }
    bytes.copy(room, length, from, to);
    length = needed;
  }

  function skip(bytes: Buffer, from: number, to: number): void {
    const kept = Math.max(from, Math.min(to, from + keepBytes - length));
    add(bytes, from, kept);
    dropped += to - kept;
  }

  function take(): Buffer {
    const all = room.subarray(0, length);
    room = nothing;
    length = 0;
    dropped = 0;
    return all;
  }

  function takeCapped(): { bytes: Buffer; dropped: number } {
    const kept = Math.min(length, keepBytes);
    const lost = dropped + length - kept;
    return { bytes: take().subarray(0, kept), dropped: lost };
  }

  return {
    length: () => length + dropped,
    add,
    skip,
    take,
    takeCapped,
    beginning: (count) => room.subarray(0, Math.min(length, count)),
  };
}
