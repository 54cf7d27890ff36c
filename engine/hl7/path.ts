/**
 * The way people write a place in an HL7 v2 message: `PID-3[2].1.2` is the second sub-component of
 * the first component of the second repetition of PID-3; `OBX[3]-5` is field 5 of the third OBX.
 */

/** All numbers are 1-based. A level that is not named is undefined, and so are all levels below it. */
export interface Path {
  /** Three characters, or a longer local name that starts with Z. */
  segment: string;
  /** Which of the segments of that name; 1 when undefined. */
  occurrence?: number;
  field?: number;
  /** 1 when undefined and a component is named. */
  repetition?: number;
  component?: number;
  subcomponent?: number;
}

/** How a segment is named (HL7 v2.5 §2.5.1); local names are sometimes longer than three. */
export const segmentName = /^(?:[A-Z][A-Z0-9]{2}|Z[A-Z0-9]{3,7})$/;
export const longestName = 8;

const shape =
  /^([A-Z][A-Z0-9]*)(?:\[(\d{1,6})\])?(?:-(\d{1,5})(?:\[(\d{1,5})\])?(?:\.(\d{1,5})(?:\.(\d{1,5}))?)?)?$/;

/** Paths are mostly written in code and mappings, so the same few hundred come again. */
const known = new Map<string, Path>();
const knownLimit = 2000;

/**
 * Read a path.
 * @param text for example `PID-3`, `PID-3[2].1.2`, `OBX[3]-5`, `PV1`
 * @throws Error when the text is not a path; the message says why and gives an example
 */
export function parsePath(text: string): Readonly<Path> {
  const seen = known.get(text);
  if (seen) return seen;
  const match = shape.exec(text);
  if (!match) throw notAPath(text, reasonFor(text));
  const [, segment = '', occurrence, field, repetition, component, subcomponent] = match;
  if (!segmentName.test(segment)) {
    throw notAPath(text, 'a segment name has three characters (or starts with Z)');
  }
  const path: Path = { segment };
  if (occurrence) path.occurrence = Number(occurrence);
  if (field) path.field = Number(field);
  if (repetition) path.repetition = Number(repetition);
  if (component) path.component = Number(component);
  if (subcomponent) path.subcomponent = Number(subcomponent);
  for (const number of [occurrence, field, repetition, component, subcomponent]) {
    if (number && Number(number) === 0) throw notAPath(text, 'counting starts at 1');
  }
  if (known.size >= knownLimit) known.clear();
  known.set(text, Object.freeze(path));
  return path;
}

/** Write a path; `parsePath(formatPath(path))` equals `path`. */
export function formatPath(path: Path): string {
  let text = path.segment;
  if (path.occurrence !== undefined) text += `[${path.occurrence}]`;
  if (path.field === undefined) return text;
  text += `-${path.field}`;
  if (path.repetition !== undefined) text += `[${path.repetition}]`;
  if (path.component === undefined) return text;
  text += `.${path.component}`;
  return path.subcomponent === undefined ? text : `${text}.${path.subcomponent}`;
}

function reasonFor(text: string): string {
  if (text === '') return 'it is empty';
  if (/\s/.test(text)) return 'it holds a space';
  if (/^[a-z]/.test(text)) return 'segment names are written in capitals';
  if (/^[A-Z][A-Z0-9]{2}\.\d/.test(text)) return 'the field follows a hyphen, not a full stop';
  if (/\(\d+\)/.test(text)) return 'occurrences and repetitions stand in square brackets';
  if (/\*/.test(text)) return 'a path names one place; count them and ask for each';
  if (/\.\d+\.\d+\.\d/.test(text)) return 'nothing lies below a sub-component';
  return 'it does not have the form SEGMENT[occurrence]-field[repetition].component.subcomponent';
}

function notAPath(text: string, why: string): Error {
  return new Error(
    `"${text.slice(0, 40)}" is not a path: ${why}. Write it like PID-3, PID-3[2].1.2 or OBX[3]-5.`,
  );
}
