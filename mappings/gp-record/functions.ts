/** What the rules of this folder cannot say in a path: pure functions of the elements they find. */
import type { MappingFunction } from '../../engine/mapping/library.ts';

type Json = Record<string, unknown>;
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

/** CX-4.3 and EI-4: the type of a universal id, for a system that is a URI (HL7 table 0301). */
export const universalType: MappingFunction = ([system]) =>
  typeof system === 'string' && system.includes(':') ? ['URI'] : [];

/**
 * Annotation: the text word for word, then who wrote it and when, where that is stated. A note that
 * came as plain text (which is not FHIR, but occurs) is carried all the same.
 */
export const annotation: MappingFunction = (notes, { record }) =>
  notes.flatMap((value) => {
    const note = object(value);
    const words = text(value) ?? text(note.text);
    const reference = text(object(note.authorReference).reference);
    const author = reference === undefined ? undefined : record.resolve(reference);
    const name = object(list(author?.name)[0]);
    const names = [...list(name.prefix), ...list(name.given), name.family].map(text);
    const who =
      text(note.authorString) ?? (names.filter((one) => one !== undefined).join(' ') || reference);
    const by = who === undefined ? '' : ` by ${who}`;
    const at = text(note.time) === undefined ? '' : ` at ${text(note.time)}`;
    return [words, by + at ? `The note above was written${by}${at}` : undefined].filter(
      (one) => one !== undefined,
    );
  });

const order = ['severe', 'moderate', 'mild'];

/** The worst severity of several reactions: a milder one must not hide it. */
export const worstSeverity: MappingFunction = (severities) => {
  const stated = severities.map(text);
  const worst = order.find((one) => stated.includes(one)) ?? stated.find((one) => one !== undefined);
  return worst === undefined ? [] : [worst];
};

/** UCUM units of time as TQ-3 writes them (HL7 v2.4 §4.3.3). */
const durations: Readonly<Record<string, string>> = { s: 'S', min: 'M', h: 'H', d: 'D', wk: 'W', mo: 'L' };

/** The id a reference ends in. */
export const idOf: MappingFunction = (references) =>
  references.map(text).flatMap((reference) => reference?.split('/').at(-1) ?? []);

/** Duration: TQ-3 where the unit is one it knows, else in words. */
export const duration: MappingFunction = (values) =>
  values.flatMap((value) => {
    const { value: amount, code } = object(value);
    const number = text(amount);
    if (number === undefined) return [];
    const letter = durations[text(list(code)[0]) ?? ''];
    return letter === undefined ? [] : [letter + number];
  }).slice(0, 1);

/** Duration in words, for what TQ-3 cannot say. */
export const otherDuration: MappingFunction = (values) =>
  values.flatMap((value) => {
    const { value: amount, code, unit } = object(value);
    const known = durations[text(list(code)[0]) ?? ''] !== undefined && text(amount) !== undefined;
    const words = [text(amount), text(unit) ?? text(list(code)[0])].filter((one) => one !== undefined);
    return known || words.length === 0 ? [] : [words.join(' ')];
  });

/** A list entry of problems that belong together: what kind of link, and to which. */
export const relatedProblem: MappingFunction = (extensions) =>
  extensions.flatMap((value) => {
    const parts = list(object(value).extension).map(object);
    const find = (url: string) => parts.find((part) => part.url === url) ?? {};
    const kind = text(find('type').valueCode);
    const target = text(object(find('target').valueReference).reference);
    const words = [kind, target].filter((one) => one !== undefined);
    return words.length > 0 ? [words.join(' ')] : [JSON.stringify(value)];
  });
