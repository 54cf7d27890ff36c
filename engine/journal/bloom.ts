/**
 * Whether a fingerprint may be among many: a Bloom filter (Bloom 1970). It never forgets one that
 * was added; of those that were not it takes one in some 1,350 for one that was, at 2^23 bits for
 * half a million and six places each.
 */

/** 1 MB. A power of two, so that a mask chooses the bit. */
const bits = 2 ** 23;
const places = 6;

export interface Bloom {
  add(fingerprint: number): void;
  mayHold(fingerprint: number): boolean;
}

/** An empty filter. Fingerprints are whole numbers below 2^53, spread evenly. */
export function createBloom(): Bloom {
  const words = new Uint32Array(bits / 32);
  return {
    add(fingerprint) {
      const step = stepOf(fingerprint);
      for (let n = 0, bit = fingerprint % bits; n < places; n++, bit = (bit + step) % bits) {
        words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    },
    mayHold(fingerprint) {
      const step = stepOf(fingerprint);
      for (let n = 0, bit = fingerprint % bits; n < places; n++, bit = (bit + step) % bits) {
        if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
      }
      return true;
    },
  };
}

/** From the bits that do not choose the first place; odd, so that the places differ. */
const stepOf = (fingerprint: number): number => (Math.floor(fingerprint / bits) % bits) | 1;
