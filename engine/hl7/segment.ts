/**
 * A segment as it is built (answers, acknowledgements): values as people read them. Encoding with
 * the receiver's delimiters, escapes and character set happens once, in `text.ts`.
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
}
