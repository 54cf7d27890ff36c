/** Thinning a block: some of its exchanges are deleted for good, the others stay as they are. */
import { markLength, prefixLength } from './block.ts';
import type { ExchangeId } from './journal.ts';

/**
 * What is left of a block's bytes when only some exchanges stay: their appends and their marks of
 * delivery.
 * @param stays whether an exchange does
 * @returns undefined where that is all of it
 */
export function thinned(
  bytes: Buffer,
  stays: (exchange: ExchangeId) => boolean,
): { bytes: Buffer; appends: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const exchange = bytes.readDoubleLE(at + 8);
    const bodiesAt = at + prefixLength + bytes.readUInt32LE(at + 16);
    const end = bodiesAt + bytes.readUInt32LE(at + 20);
    const append = bytes.subarray(at, end);
    if (exchange === 0) parts.push(...thinnedMarks(append, stays));
    else if (stays(exchange)) parts.push(append);
    at = end;
  }
  const left = Buffer.concat(parts);
  return left.length === bytes.length ? undefined : { bytes: left, appends: parts.length };
}

/** The append that holds marks of delivery with those of some exchanges only, if there are any. */
function thinnedMarks(append: Buffer, stays: (exchange: ExchangeId) => boolean): Buffer[] {
  const marks: Buffer[] = [];
  for (let at = prefixLength; at < append.length; at += markLength) {
    const exchange = Math.abs(append.readDoubleLE(at));
    if (stays(exchange)) marks.push(append.subarray(at, at + markLength));
  }
  if (marks.length === 0) return [];
  const prefix = Buffer.from(append.subarray(0, prefixLength));
  prefix.writeUInt32LE(marks.length * markLength, 20);
  return [Buffer.concat([prefix, ...marks])];
}
