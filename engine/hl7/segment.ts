/**
 * A segment as it is built (answers, acknowledgements): values as people read them. Encoding with
 * the receiver's delimiters, escapes and character set happens once, in `encode.ts`.
 */

/** Sub-components, or one plain value. */
export type Component = string | undefined | (string | undefined)[];
/** Components of one repetition. */
export type Repetition = Component[];
/** One plain value, or repetitions of components. */
export type Field = string | undefined | Repetition[];

export interface Segment {
  /** Three characters, for example `PID`. */
  name: string;
  /** `fields[1]` is the field numbered 1; index 0 is unused. Absent and empty are the same. */
  fields: Field[];
  /**
   * Fields given back to a sender as it wrote them (MSA-2, QAK-1, QPD), by number: text from
   * `message.raw`, already escaped, written instead of `fields[n]`. The receiver's delimiters must
   * be the sender's.
   */
  echo?: Readonly<Record<number, string | undefined>>;
  /**
   * What follows field 1, as `writeSegment` wrote it: then `fields` has no more than that one, and
   * the delimiters of the message must be those it was written with.
   */
  written?: string;
}
