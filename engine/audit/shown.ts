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
  /** The resources among whose segments something of this resource is shown. */
  itemsOf(identity: string): ReadonlySet<string | undefined>;
  /** Whether something of both is shown in one clinical item, with all that hangs on it. */
  together(one: string, other: string): boolean;
}

type ByPlace = Map<string, Shown[]>;

/** Index a record that was mapped with a trace. */
export function indexShown(record: MappedRecord): ShownIndex {
  const places = new Map<string, ByPlace>();
  const concepts = new Map<string, ByPlace>();
  const links = new Map<string, Map<string, Shown>>();
  const items = new Map<string, Shown>();
  const within = new Map<string, Set<string | undefined>>();
  const trees = new Map<string, Set<number>>();
  const groups = record.datasets.flatMap((dataset) => dataset.groups);
  const all = [record.patient, ...groups.flatMap(({ lines, items: own }) => [lines, ...own])];
  for (const [tree, segments] of all.entries()) for (const segment of segments) read(segment, tree);

  function read(segment: MappedSegment, tree: number): void {
    const { from, name } = segment;
    if (from !== undefined) {
      if (!items.has(from)) items.set(from, { target: name, rule: '', texts: [], item: from });
      addTo(trees, from, tree);
    }
    if (!segment.trace) return;
    const textsOf = readerOf(segment);
    for (const trace of segment.trace) {
      const { chains, table } = partsOf(trace);
      const texts = textsOf(trace.target);
      const shown: Shown = { target: trace.target, rule: trace.rule, texts, table, item: from };
      for (const [identity, place, leads] of chains.flat()) {
        addTo(within, identity, from);
        addTo(trees, identity, tree);
        if (leads) {
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
    together: (one, other) =>
      [...(trees.get(one) ?? [])].some((tree) => trees.get(other)?.has(tree)),
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

/** A resource and a place in it, and whether the reference that stands there leads on. */
type Step = [identity: string, place: string, leads: boolean];

/** `A/1#recorder → B/2#name[0].family, C/3 → tables/x.csv:3` in its parts. */
function partsOf({ source }: FieldTrace): { chains: Step[][]; table?: string } {
  const [, sources = '', table] =
    /^(.*?)(?: → (?:tables\/([^/]+)\.csv:\d+|default))?$/s.exec(source) ?? [];
  const chains = sources.split(', ').map((chain) => {
    const steps = chain.split(' → ');
    return steps.map((step, i): Step => {
      const hash = step.indexOf('#');
      const leads = i < steps.length - 1;
      return hash < 0 ? [step, '', leads] : [step.slice(0, hash), step.slice(hash + 1), leads];
    });
  });
  return { chains, table };
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

function addTo<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const held = map.get(key);
  if (held) held.add(value);
  else map.set(key, new Set([value]));
}

function add(map: ByPlace, key: string, shown: Shown): void {
  const held = map.get(key);
  if (held) held.push(shown);
  else map.set(key, [shown]);
}
