/** Makes other input of good input: a few changes of the kind that broken systems make, by chance. */
import { type Random, oneOf, wholeBetween } from '../part.ts';

/** What the structure of a message, a frame or a batch is made of, and what has broken parsers. */
const pieces = [
  ...['|', '^', '~', '&', '\\', '\r', '\n', '\r\n', '\x0b', '\x1c', '\x1c\r', '\x1c\x0b', '\x00'],
  ...['MSH|^~\\&|', 'MSH', 'FHS|', 'BHS|^~\\&|', 'BTS|2\r', 'FTS|1\r', 'PID|', 'OBX|1|', 'ADD|'],
  ...['\\X', '\\X41\\', '\\F\\', '\\.br\\', '\\M2442\\', '""', ' ', '\t', '\xef\xbb\xbf', '\xff'],
  ...['BIG-5', 'ISO IR87', '\x1b$B', 'UNICODE UTF-16', '9'.repeat(400), '^'.repeat(200)],
] as const;

/** Byte text with one to eight changes. @param other what a part may be taken from instead */
export function mutated(random: Random, text: string, other: string): string {
  let now = text;
  for (let left = wholeBetween(random, 1, 8); left > 0; left--) now = changed(random, now, other);
  return now.length > 200_000 ? now.slice(0, 200_000) : now;
}

function changed(random: Random, text: string, other: string): string {
  const at = wholeBetween(random, 0, text.length);
  const to = Math.min(text.length, at + wholeBetween(random, 1, 40));
  switch (wholeBetween(random, 0, 7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + oneOf(random, pieces) + text.slice(at);
    case 2:
      return text.slice(0, at) + oneOf(random, pieces) + text.slice(to);
    case 3:
      return (
        text.slice(0, at) + String.fromCharCode(wholeBetween(random, 0, 255)) + text.slice(at + 1)
      );
    case 4:
      return text.slice(0, to) + text.slice(at);
    case 5: {
      const from = wholeBetween(random, 0, other.length);
      return text.slice(0, at) + other.slice(from, from + 60) + text.slice(to);
    }
    case 6:
      return text.slice(0, at);
    default:
      return text.slice(0, at) + noise(random, 12) + text.slice(at);
  }
}

/** Up to so many pieces in a row. */
export function noise(random: Random, most: number): string {
  return Array.from({ length: wholeBetween(random, 0, most) }, () => oneOf(random, pieces)).join(
    '',
  );
}

/** What stands where FHIR wants something else. */
const values = [
  ...[null, true, 0, -1, 1e308, '', ' ', 'x', '0001-13-45', '2020', '2020-01-01T25:61:00Z', [], {}],
  ...['\u0000', '|^~\\&', '\ud83d', 'é漢😀', '\r\n\x0b\x1c\r', 'List/1', '#p', '__proto__'],
  ...['a'.repeat(70_000), [[[[]]]], { coding: 7 }, { reference: [] }, [null], { extension: {} }],
] as const;

/** A value of JSON with one to six changes somewhere within it; the given one is not changed. */
export function mutatedJson(random: Random, json: unknown): unknown {
  const copy = structuredClone(json);
  for (let left = wholeBetween(random, 1, 6); left > 0; left--) changeWithin(random, copy);
  return copy;
}

function changeWithin(random: Random, root: unknown): void {
  let node = root;
  for (let depth = wholeBetween(random, 1, 9); ; depth--) {
    if (typeof node !== 'object' || node === null) return;
    const holder = node as Record<string, unknown>;
    const names = Object.keys(holder);
    const name = names[wholeBetween(random, 0, Math.max(0, names.length - 1))];
    if (name === undefined) return;
    const value = holder[name];
    if (depth > 0 && typeof value === 'object' && value !== null) {
      node = value;
      continue;
    }
    changeAt(random, holder, name, names);
    return;
  }
}

function changeAt(
  random: Random,
  holder: Record<string, unknown>,
  name: string,
  names: readonly string[],
): void {
  const value = holder[name];
  switch (wholeBetween(random, 0, 4)) {
    case 0:
      // A hole in an array is no JSON.
      if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      return;
    case 1:
      holder[name] = [value, structuredClone(value)];
      return;
    case 2:
      holder[name] = holder[names[wholeBetween(random, 0, names.length - 1)] ?? name];
      return;
    case 3:
      if (typeof value === 'string') holder[name] = mutated(random, value, name);
      return;
    default:
      holder[name] = structuredClone(oneOf(random, values as unknown as [unknown, ...unknown[]]));
  }
}
