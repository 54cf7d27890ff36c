/**
 * Records held in memory for the rest of an answer in parts: for minutes, so many and so large, each
 * for the one who asked. Nothing of them outlives the process.
 */
import { standardDelimiters } from './hl7/delimiters.ts';
import { encodeSegment } from './hl7/encode.ts';
import type { MappedRecord } from './mapping/mapped.ts';
import type { Caution } from './query/cautions.ts';

/** A record as its parts are cut from it. */
export interface Held {
  record: MappedRecord;
  cautions: readonly Caution[];
  /** ODS code of the practice, for the search of the journal. */
  practice?: string;
}

export interface HeldRecords {
  /**
   * Hold a record for its asker.
   * @param name what its pointers are called after; unique
   * @returns false where it alone would take more room than there is
   */
  hold(name: string, asker: string, held: Held): boolean;
  /** The record of this name, unless it is someone else's, expired or unknown. */
  find(name: string, asker: string): Held | undefined;
}

export interface HeldLimits {
  /** Milliseconds. */
  hold: number;
  records: number;
  /** Characters of HL7 text. */
  size: number;
}

/**
 * Room for held records. Where it is full, the oldest makes way.
 * @param now microseconds; the only clock by which a record expires
 * @param dropped told of each record that had to make way before its time
 */
export function createHeldRecords(
  limits: HeldLimits,
  now: () => number,
  dropped: () => void,
): HeldRecords {
  const all = new Map<string, Held & { asker: string; size: number; until: number }>();
  let total = 0;
  const drop = (name: string) => {
    total -= all.get(name)?.size ?? 0;
    all.delete(name);
  };
  const expire = () => {
    for (const [name, { until }] of all) if (until <= now()) drop(name);
  };
  return {
    hold(name, asker, held) {
      expire();
      const size = sizeOf(held.record);
      if (size > limits.size) return false;
      for (const [oldest] of all) {
        if (all.size < limits.records && total + size <= limits.size) break;
        drop(oldest);
        dropped();
      }
      all.set(name, { ...held, asker, size, until: now() + limits.hold * 1000 });
      total += size;
      // Forgotten when its time is up, whether or not anybody asks again.
      setTimeout(expire, limits.hold + 1).unref();
      return true;
    },
    find(name, asker) {
      expire();
      const held = all.get(name);
      return held?.asker === asker ? held : undefined;
    },
  };
}

function sizeOf({ patient, datasets }: MappedRecord): number {
  const segments = [...patient, ...datasets.flatMap((dataset) => dataset.segments)];
  return segments.reduce((sum, one) => sum + encodeSegment(one, standardDelimiters).length + 1, 0);
}
