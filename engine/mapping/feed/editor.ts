/**
 * How the rules and functions of a feed mapping change a message: each place is written whole,
 * whatever stood below it, everything else keeps its bytes, and each change is told.
 */
import { encode } from '../../hl7/charset.ts';
import type { Message } from '../../hl7/message.ts';
import { formatPath, parsePath } from '../../hl7/path.ts';
import { escape } from '../../hl7/text.ts';

/** What a function of a feed mapping (`edit: ./file.ts#name`) is given. Places as in `PID-3[2].1`. */
export interface FeedEditor {
  /** The value at a place, decoded and unescaped; undefined where it is absent or empty. */
  get(place: string): string | undefined;
  /** The text at a place or of a segment as it was sent, still escaped. */
  raw(place: string): string | undefined;
  /** How many segments have this name. */
  count(segment: string): number;
  /** How many repetitions a field has. */
  repetitions(place: string): number;
  /** Write a value at a place, in place of all that stands there. */
  set(place: string, value: string): void;
  /** Write text that is already escaped. */
  setRaw(place: string, text: string): void;
  /** Take out a segment (every one of the name, where no occurrence is given), a repetition, or the
   *  content of a field or component. What is not there stays absent. */
  remove(place: string): void;
  /** Add a segment behind another. @returns its path, `ZPI[1]` */
  insert(segment: string, after?: string): string;
}

/** Why a rule cannot be followed; its message holds no patient data. */
export class RuleError extends Error {}

/**
 * @param told called with each place that was written
 * @throws RuleError (the functions) where the message's character set lacks a character; Error
 *   where a place cannot be written
 */
export function editorOf(message: Message, told: (place: string) => void): FeedEditor {
  const { delimiters, charset } = message;

  function setRaw(place: string, text: string): void {
    message.setRaw(place, text);
    told(place);
  }

  function empty(place: string): void {
    if (message.raw(place)) setRaw(place, '');
  }

  function removeRepetition(place: string): void {
    const { segment, occurrence, field, repetition = 1 } = parsePath(place);
    const whole = formatPath({ segment, occurrence, field });
    if (message.repetitions(whole) < repetition) return;
    const all = (message.raw(whole) ?? '').split(delimiters.repetition);
    setRaw(whole, all.toSpliced(repetition - 1, 1).join(delimiters.repetition));
  }

  function removeSegments(name: string): void {
    const { segment, occurrence } = parsePath(name);
    const count = message.count(segment);
    const from = occurrence ?? count;
    for (let number = from; number >= (occurrence ?? 1) && number <= count; number--) {
      message.remove(`${segment}[${number}]`);
      told(`${segment}[${number}]`);
    }
  }

  return {
    get: (place) => message.get(place),
    raw: (place) => message.raw(place),
    count: (segment) => message.count(segment),
    repetitions: (place) => message.repetitions(place),
    setRaw,
    set(place, value) {
      const escaped = escape(value, delimiters);
      if (encode(escaped, charset) === undefined) {
        throw new RuleError(
          `${place}: the message's character set ${charset} (MSH-18) lacks a character of the value`,
        );
      }
      setRaw(place, escaped);
    },
    remove(place) {
      const { field, repetition, component } = parsePath(place);
      if (field === undefined) removeSegments(place);
      else if (repetition !== undefined && component === undefined && delimiters.repetition !== '')
        removeRepetition(place);
      else empty(place);
    },
    insert(segment, after) {
      const path = message.insert(segment, after);
      told(path);
      return path;
    },
  };
}
