/**
 * MLLP framing: chunks of bytes in, whole payloads out, and the reverse. VT payload FS CR
 * (HL7 v2 Implementation Guide appendix C, "Minimal Lower Layer Protocol"). Knows no HL7 and no
 * sockets; what marks the start of a message is handed in.
 *
 * Every byte is looked at once: what cannot be decided at the end of a chunk (an FS, or a VT and
 * the beginning of a mark) is put in front of the next one, so any chunking gives the same result.
 */
import { FaultError } from '../faults.ts';
import type { FaultName } from '../faults.ts';
import { createHeld } from './held.ts';
import type { Arrival } from './mllp.ts';

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;
const LF = 0x0a;
const nothing = Buffer.alloc(0);

export interface DeframerOptions {
  /** Longest payload accepted, and most bytes skipped in search of a VT. Bytes. */
  maxBytes: number;
  /** `lenient` accepts FS without CR (with a warning), `strict` reports it as broken. */
  mode: 'lenient' | 'strict';
  /**
   * How a message begins. A VT inside a frame is payload unless one of these follows: then the
   * frame was cut short and a new one begins. None unless told: every such VT is payload.
   */
  marks?: readonly string[];
  /** Most bytes kept of what is broken; the rest is counted. 1 MiB unless told. */
  keepBytes?: number;
}

/**
 * `between` frames; `skipping` bytes that belong to none; `inFrame`; `afterEnd`: in a frame, after
 * an FS whose next byte has not come; `closed`: over a limit, abandoned or ended, takes no more.
 */
export type DeframerState = 'between' | 'skipping' | 'inFrame' | 'afterEnd' | 'closed';

export interface Deframer {
  /** Take the next bytes. The payloads emitted may share their memory: never transfer them. */
  push(chunk: Buffer): void;
  /**
   * The peer has been silent for the grace time: in lenient mode an FS that came last ends its
   * frame, and bytes skipped so far are reported (`frameNoStart`) rather than left to a timeout.
   */
  quiet(): void;
  /** No byte will follow: what is incomplete is reported as `frameCutShort` or `frameNoStart`. */
  end(): void;
  /** Give up: what is incomplete is reported as `fault`, and nothing more is taken. */
  abandon(fault: FaultName): void;
  state(): DeframerState;
}

/**
 * A deframer for one direction of one connection. Time is linear in the bytes; memory is at most
 * one payload of `maxBytes` (twice that while it grows) and one chunk.
 * @param emit called for each payload and each fault, in order of arrival
 */
export function createDeframer(
  options: DeframerOptions,
  emit: (arrival: Arrival) => void,
): Deframer {
  const { maxBytes, mode } = options;
  const marks = (options.marks ?? []).map((mark) => Buffer.from(mark, 'latin1'));
  let place: 'between' | 'inFrame' | 'closed' = 'between';
  /** Payload so far (`inFrame`), or bytes skipped so far (`between`). */
  const held = createHeld(maxBytes, Math.min(options.keepBytes ?? 1024 * 1024, maxBytes));
  let undecided: Buffer = nothing;
  /** Where the next FS and VT of the chunk are: -1 none; searched again only once passed. */
  let nextFs = 0;
  let nextVt = 0;

  function push(chunk: Buffer): void {
    if (place === 'closed' || chunk.length === 0) return;
    const bytes = undecided.length === 0 ? chunk : Buffer.concat([undecided, chunk]);
    undecided = nothing;
    nextFs = nextVt = -2;
    let at = 0;
    while (at < bytes.length && !isClosed()) {
      at = place === 'inFrame' ? readFrame(bytes, at) : findStart(bytes, at);
    }
  }

  /** Skip to the byte after the next VT; newlines after a frame are no garbage. */
  function findStart(bytes: Buffer, from: number): number {
    let at = from;
    if (held.length() === 0) while (bytes[at] === CR || bytes[at] === LF) at++;
    const start = bytes.indexOf(VT, at);
    const stop = start === -1 ? bytes.length : start;
    if (held.length() + stop - at > maxBytes) {
      breakLimit('frameNoStart', bytes, at);
      return bytes.length;
    }
    held.skip(bytes, at, stop);
    if (start === -1) return bytes.length;
    if (held.length() > 0) breakOff('frameGarbage', 'between');
    place = 'inFrame';
    return start + 1;
  }

  /** Read on in a frame, to its end or to the end of the chunk. */
  function readFrame(bytes: Buffer, at: number): number {
    for (let from = at; ;) {
      if (nextFs !== -1 && nextFs < from) nextFs = bytes.indexOf(FS, from);
      if (nextVt !== -1 && nextVt < from) nextVt = bytes.indexOf(VT, from);
      if (nextFs === -1 && nextVt === -1) return grow(bytes, at, bytes.length);
      if (nextVt === -1 || (nextFs !== -1 && nextFs < nextVt)) {
        const follows = bytes[nextFs + 1];
        if (follows === undefined) return wait(bytes, at, nextFs);
        if (follows === CR) return complete(bytes, at, nextFs, false) + 2;
        if (follows === VT) return complete(bytes, at, nextFs, true) + 1;
        from = nextFs + 1;
      } else {
        const starts = markAt(bytes, nextVt + 1);
        if (starts === undefined) return wait(bytes, at, nextVt);
        if (starts) {
          const stop = nextVt;
          grow(bytes, at, stop);
          if (!isClosed()) breakOff(held.length() === 0 ? 'frameEmpty' : cutOrGarbage(), 'between');
          return stop;
        }
        from = nextVt + 1;
      }
    }
  }

  /** Hold the payload up to `stop`, and keep the rest of the chunk to decide with the next one. */
  function wait(bytes: Buffer, at: number, stop: number): number {
    grow(bytes, at, stop);
    undecided = bytes.subarray(stop);
    return bytes.length;
  }

  /** The frame ends at `stop`: emit it. Returns `stop`. */
  function complete(bytes: Buffer, at: number, stop: number, unterminated: boolean): number {
    const whole = held.length() === 0 && stop - at <= maxBytes;
    if (!whole) grow(bytes, at, stop);
    if (isClosed()) return stop;
    if (stop === at && held.length() === 0) {
      breakOff('frameEmpty', 'between');
    } else if (unterminated && mode === 'strict') {
      if (whole) grow(bytes, at, stop);
      breakOff('frameUnterminated', 'between');
    } else {
      const payload = whole ? bytes.subarray(at, stop) : held.take();
      const warnings: FaultName[] = unterminated ? ['frameUnterminated'] : [];
      place = 'between';
      undecided = nothing;
      emit({ kind: 'message', payload, warnings });
    }
    return stop;
  }

  /** Add to the payload, or close the deframer where it grows too long. Returns `to`. */
  function grow(bytes: Buffer, from: number, to: number): number {
    if (held.length() + to - from > maxBytes) breakLimit('frameTooLong', bytes, from);
    else held.add(bytes, from, to);
    return to;
  }

  /** Counted up to the byte that broke the limit, so that chunking does not change the report. */
  function breakLimit(fault: FaultName, bytes: Buffer, from: number): void {
    held.skip(bytes, from, from + maxBytes + 1 - held.length());
    breakOff(fault, 'closed');
  }

  /** Report what is held as broken. */
  function breakOff(fault: FaultName, then: 'between' | 'closed'): void {
    place = then;
    undecided = nothing;
    emit({ kind: 'broken', fault, ...held.takeCapped() });
  }

  /** Whether a mark is at `at`; undefined when the chunk ends before that is certain. */
  function markAt(bytes: Buffer, at: number): boolean | undefined {
    let open = false;
    for (const mark of marks) {
      const length = Math.min(mark.length, bytes.length - at);
      if (bytes.compare(mark, 0, length, at, at + length) !== 0) continue;
      if (length === mark.length) return true;
      open = true;
    }
    return open ? undefined : false;
  }

  /** A frame given up at a new start: a message cut short, or noise that held a VT. */
  function cutOrGarbage(): FaultName {
    // A byte order mark or blank lines may come before the mark.
    const beginning = held.beginning(64);
    return marks.some((mark) => beginning.includes(mark)) ? 'frameCutShort' : 'frameGarbage';
  }

  function quiet(): void {
    const now = state();
    if (now === 'skipping') breakOff('frameNoStart', 'between');
    if (now === 'afterEnd' && mode === 'lenient') complete(undecided, 0, 0, true);
  }

  function end(): void {
    if (state() === 'afterEnd' && mode === 'lenient') complete(undecided, 0, 0, true);
    abandon('frameCutShort');
  }

  function abandon(fault: FaultName): void {
    const now = state();
    if (now === 'skipping') {
      breakOff('frameNoStart', 'closed');
    } else if (now === 'afterEnd') {
      // Whatever ended it, the cause an analyst can mend is the missing CR.
      breakOff('frameUnterminated', 'closed');
    } else if (now === 'inFrame') {
      grow(undecided, 0, undecided.length);
      if (!isClosed()) breakOff(fault, 'closed');
    }
    place = 'closed';
  }

  const isClosed = (): boolean => place === 'closed';

  function state(): DeframerState {
    if (place === 'between') return held.length() > 0 ? 'skipping' : 'between';
    if (place === 'inFrame' && undecided[0] === FS) return 'afterEnd';
    return place;
  }

  return { push, quiet, end, abandon, state };
}

/**
 * One frame: VT payload FS CR.
 * @throws FaultError internalError when the payload holds FS CR or FS VT: any receiver would take
 *   its beginning for the whole message
 */
export function frame(payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(payload.length + 3);
  framed[0] = VT;
  framed.set(payload, 1);
  framed[payload.length + 1] = FS;
  framed[payload.length + 2] = CR;
  const last = payload.length + 1;
  for (let at = framed.indexOf(FS); at < last; at = framed.indexOf(FS, at + 1)) {
    if (framed[at + 1] === CR || framed[at + 1] === VT) {
      throw new FaultError({ name: 'internalError', detail: 'the payload holds an end of frame' });
    }
  }
  return framed;
}
