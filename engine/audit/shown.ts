/**
 * What the answer shows, by where it says it came from. Every text is read back from the encoded
 * segment, so that what is found here is what the hospital finds.
 */
import { standardDelimiters } from '../hl7/delimiters.ts';
import { encodeSegment } from '../hl7/encode.ts';
import { unescape } from '../hl7/text.ts';
import type { FieldTrace, MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import { leftNote } from '../mapping/scope.ts';

/** A place in the answer that one element is said to stand in. */
export interface Shown {
  /** `AL1-3.1`. */
  target: string;
  rule: string;
  /** What stands there: one text for each repetition. */
  texts: readonly string[];
  /** The code table the value went through, by name. */
  table?: string;
  /** The resource whose item it belongs to. */
  item?: string;
}

export interface ShownIndex {
  /** By resource, `AllergyIntolerance/1`, and place, `code.coding[0].code` ('' the resource). */
  at(identity: string, place: string): readonly Shown[];
  /** What shows any part of one coded element, whose terms and codes stand together. */
  ofConcept(identity: string, concept: string): readonly Shown[];
  /** Where a reference at this place led, and what was shown of it. */
  followed(identity: string, place: string): Shown | undefined;
  /** The segments of this resource's own item. */
  item(identity: string): Shown | undefined;
  /** The items in which something of this resource is shown. */
  itemsOf(identity: string): ReadonlySet<string | undefined>;
  /** Whether anything at all is shown of this resource. */
  has(identity: string): boolean;
}

type ByPlace = Map<string, Shown[]>;

/** Index a record that was mapped with a trace. */
export function indexShown(record: MappedRecord): ShownIndex {
  const places = new Map<string, ByPlace>();
  const concepts = new Map<string, ByPlace>();
  const links = new Map<string, Map<string, Shown>>();
  const items = new Map<string, Shown>();
  const within = new Map<string, Set<string | undefined>>();
  for (const segment of [record.patient, ...record.datasets.map((one) => one.segments)].flat()) {
    const { from, name } = segment;
    if (from !== undefined && !items.has(from)) {
      items.set(from, { target: name, rule: '', texts: [], item: from });
    }
    if (!segment.trace) continue;
    const read = readerOf(segment);
    for (const trace of segment.trace) {
      const { chain, table } = partsOf(trace);
      const texts = read(trace.target);
      const shown: Shown = { target: trace.target, rule: trace.rule, texts, table, item: from };
      const steps = chain.flatMap((source) => source.split(', ').map(resourceAndPlace));
      for (const [i, [identity, place]] of steps.entries()) {
        within.set(identity, (within.get(identity) ?? new Set()).add(from));
        if (i < chain.length - 1) {
          const own = mapIn(links, identity);
          if (!own.has(place)) own.set(place, shown);
          continue;
        }
        add(mapIn(places, identity), place, shown);
        const concept = conceptOf(place);
        if (concept !== undefined) add(mapIn(concepts, identity), concept, shown);
        // What a field could not hold stands in one note, whichever part of the value it was.
        if (texts[0]?.startsWith(leftNote)) add(mapIn(places, identity), parentOf(place), shown);
      }
    }
  }
  return {
    at: (identity, place) => places.get(identity)?.get(place) ?? [],
    ofConcept: (identity, concept) => concepts.get(identity)?.get(concept) ?? [],
    followed: (identity, place) => links.get(identity)?.get(place),
    item: (identity) => items.get(identity),
    itemsOf: (identity) => within.get(identity) ?? new Set([identity]),
    has: (identity) => items.has(identity) || within.has(identity),
  };
}

/** The coded element a place lies in: the part before `.coding[`, or before `.text`. */
export function conceptOf(place: string): string | undefined {
  const coding = place.search(/(^|\.)coding\[\d+\]/);
  if (coding >= 0) return place.slice(0, coding);
  return place === 'text' || place.endsWith('.text') ? parentOf(place) : undefined;
}

/** The place one step up: `code` for `code.coding[0]`'s parent, '' at the top. */
export function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('.')));
}

/** `A/1#recorder → B/2#name[0].family → tables/x.csv:3` in its parts. */
function partsOf({ source }: FieldTrace): { chain: string[]; table?: string } {
  const parts = source.split(' → ');
  const table = /^tables\/(.+)\.csv:\d+$/.exec(parts.at(-1) ?? '')?.[1];
  if (table !== undefined || parts.at(-1) === 'default') parts.pop();
  return { chain: parts, table };
}

function resourceAndPlace(source: string): [identity: string, place: string] {
  const hash = source.indexOf('#');
  return hash < 0 ? [source, ''] : [source.slice(0, hash), source.slice(hash + 1)];
}

/** Reads fields of an encoded segment by target: `PID-5.1`, `OBX-5(2)`, `OBX-5.4.2`. */
function readerOf(segment: MappedSegment): (target: string) => string[] {
  const { field, repetition, component, subcomponent } = standardDelimiters;
  const fields = encodeSegment(segment, standardDelimiters).split(field);
  return (target) => {
    const match = /^[A-Z0-9]{3}-(\d+)(?:\((\d+)\))?(?:\.(\d+))?(?:\.(\d+))?$/.exec(target);
    if (!match) return [];
    const [, number, nth, part, sub] = match;
    const repetitions = fields[Number(number)]?.split(repetition) ?? [];
    const chosen =
      nth === undefined ? repetitions : repetitions.slice(Number(nth) - 1, Number(nth));
    return chosen.flatMap((one) => {
      const components = one.split(component);
      const wanted = part === undefined ? components : [components[Number(part) - 1] ?? ''];
      const texts = wanted.flatMap((text) => {
        const subs = text.split(subcomponent);
        return sub === undefined ? subs : [subs[Number(sub) - 1] ?? ''];
      });
      return texts.map((text) => unescape(text, standardDelimiters)).filter((text) => text !== '');
    });
  };
}

function mapIn<V>(outer: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let inner = outer.get(key);
  if (!inner) outer.set(key, (inner = new Map<string, V>()));
  return inner;
}

function add(map: ByPlace, key: string, shown: Shown): void {
  const held = map.get(key);
  if (held) held.push(shown);
  else map.set(key, [shown]);
}
