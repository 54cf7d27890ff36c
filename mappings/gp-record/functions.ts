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

/** A decimal as NM writes it (HL7 v2.4 §2.9.30): FHIR allows an exponent, NM does not. */
export const decimal: MappingFunction = (values) => values.map(text).flatMap((value) => (value === undefined ? [] : [plainDecimal(value)]));

/** The same, of a value that is a number. */
export const number: MappingFunction = (values, around) =>
  decimal(values, around).filter((one) => /^[+-]?\d+(?:\.\d+)?$/.test(String(one)));

function plainDecimal(value: string): string {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,3})$/.exec(value);
  if (!match) return value;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, '0');
  const before = padded.slice(0, point).replace(/^0+(?=\d)/, '');
  return sign + (point < padded.length ? `${before}.${padded.slice(point)}` : before);
}

/**
 * Reference ranges as OBX-7 writes them (HL7 v2.4 §7.4.2.7): `3.5-4.5`, with the words that say for
 * whom one holds. A limit FHIR states is part of the range. The unit stands with it where the value
 * has another one.
 */
export const ranges: MappingFunction = (values, { resource }) => {
  const units = [resource, ...list(resource.component).map(object)].map(
    (one) => text(object(one.valueQuantity).unit),
  );
  const shown = values.map(object).map((range) => {
    const limit = (name: string) => object(list(range[name])[0]);
    const [low, high] = [limit('low'), limit('high')];
    const [from, to] = [text(low.value), text(high.value)];
    const limits =
      from !== undefined && to !== undefined ? `${from}-${to}` : from !== undefined ? `>=${from}` : to !== undefined ? `<=${to}` : undefined;
    const unit = text(high.unit) ?? text(low.unit);
    const concept = (value: unknown) => {
      const { text: words, coding } = object(value);
      return text(words) ?? list(coding).map(object).map((one) => text(one.display) ?? text(one.code)).join(', ');
    };
    const ages = list(range.age).flatMap((age) => Object.entries(object(age)).map(([end, one]) => [`age ${end}`, text(object(one).value), text(object(one).unit)].filter(Boolean).join(' ')));
    const who = [...list(range.type), ...list(range.appliesTo)].map(concept);
    const words = [text(range.text), ...who, ...ages].filter((one) => one !== undefined && one !== '');
    const written = limits === undefined ? [] : [unit === undefined || units.includes(unit) ? limits : `${limits} ${unit}`];
    return [...written, ...(written.length > 0 && words.length > 0 ? [`(${words.join('; ')})`] : words)].join(' ');
  });
  const all = shown.filter((one) => one !== '');
  return all.length > 0 ? [all.join('; ')] : values.map((one) => JSON.stringify(one));
};

/** What an entry is related to, and how: `derived-from Observation/12`. */
export const relatedEntry: MappingFunction = (entries) =>
  entries.map(object).flatMap(({ type, target }) => {
    const { reference, display } = object(target);
    const words = [text(type), text(reference) ?? text(display)].filter((one) => one !== undefined);
    return words.length > 0 ? [words.join(' ')] : [];
  });

/** `Condition/12`: what a resource is called in the GP record. */
export const identity: MappingFunction = (resources) =>
  resources.map(object).map(({ resourceType, id }) =>
    text(id) === undefined ? `${text(resourceType)} without an id` : `${text(resourceType)}/${text(id)}`,
  );

/** Identifiers in words, each with the system that gave it. */
export const identifiers: MappingFunction = (values) =>
  values.map(object).flatMap(({ value, system }) => {
    const words = [text(value), text(system) && `(${text(system)})`].filter((one) => one !== undefined);
    return words.length > 0 ? [words.join(' ')] : [];
  });

/** Names of people and organisations, in words. */
export const names: MappingFunction = (resources) =>
  resources.map(object).map((one) => {
    const name = object(list(one.name)[0]);
    const parts = [...list(name.prefix), ...list(name.given), name.family].map(text);
    const words = parts.filter((part) => part !== undefined).join(' ');
    return text(one.name) ?? text(name.text) ?? (words || `${text(one.resourceType)}/${text(one.id)}`);
  });

/** A coded element in words: its terms, each with its code and the system of it. */
export const inWords: MappingFunction = (concepts) =>
  concepts.map(object).flatMap(({ text: words, coding }) => {
    const terms = list(coding).map(object).map(({ system, code, display }) => {
      const named = [text(code), text(system)].filter((one) => one !== undefined).join(', ');
      return [text(display), named && `(${named})`].filter(Boolean).join(' ');
    });
    const all = [text(words), ...terms].filter((one) => one !== undefined && one !== '');
    return all.length > 0 ? [all.join('; ')] : [];
  });

/** How a resource was made and addressed. */
const technical = new Set(['resourceType', 'id', 'meta.profile', 'meta.versionId', 'meta.lastUpdated', 'subject', 'patient']);

/** Every value of an element, each with the names that lead to it: `item.answer.valueString: Yes`. */
export const elements: MappingFunction = (values) => {
  const found: string[] = [];
  const walk = (value: unknown, path: string) => {
    const leaf = typeof value === 'boolean' ? String(value) : text(value);
    if (leaf !== undefined) found.push(path === '' ? leaf : `${path}: ${leaf}`);
    else if (Array.isArray(value)) for (const one of value) walk(one, path);
    else {
      for (const [name, inner] of Object.entries(object(value))) {
        const there = path === '' ? name : `${path}.${name}`;
        if (!technical.has(there)) walk(inner, there);
      }
    }
  };
  for (const value of values) walk(value, '');
  return found;
};

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
