/** Segment rules compiled: fields, observations and notes of one item, built in the order written. */
import type { Repetition } from '../hl7/segment.ts';
import { type Path, holds } from './condition.ts';
import { type ReadingScope, noteReads } from './coverage.ts';
import type { Produced } from './leaf.ts';
import { type Library, type Made, type Place, below, report, ruleAt } from './library.ts';
import type { MappedSegment } from './mapped.ts';
import type { SegmentRule, ValueRule } from './rules.ts';
import { type Note, type Scope, codedOnce, focusOn, leave } from './scope.ts';
import { type CompiledValue, compileValue, plainText } from './value.ts';
import { compileAt, placesOf } from './paths.ts';

/** A segment with the notes that follow it. */
export interface Built {
  segment: MappedSegment;
  notes: Note[];
}

/** Adds what a rule makes to the segments of its item. */
export type Build = (scope: Scope, built: Built[]) => void;

/** Compile one segment rule. */
export function compileSegment(
  rule: SegmentRule,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Build {
  let inner = reading;
  let each: Path | undefined;
  if (rule.each !== undefined) {
    each = compileAt(rule.each, below(place, 'each'), library, reading);
    if (each?.expression) inner = { ...reading, focus: noteReads(each.expression, reading) };
  }
  let when: Path | undefined;
  if (rule.when !== undefined) {
    when = compileAt(rule.when, below(place, 'when'), library, inner);
    if (when?.expression) noteReads(when.expression, inner);
  }
  const build = compileBody(rule, place, library, inner);
  if (!each) {
    if (!when) return build;
    return (scope, built) => {
      if (holds(when, scope.focus, scope.variables)) build(scope, built);
    };
  }
  return (scope, built) => {
    const places = scope.run.options.trace ? placesOf(each, scope) : [];
    for (const [i, value] of each.values(scope.focus, scope.variables).entries()) {
      if (when && !holds(when, [value], scope.variables)) continue;
      build(focusOn(scope, value, places[i] ?? scope.at), built);
    }
  };
}

/**
 * The segment of an item that what nothing else has a place for is a note of: the first, but an order
 * has its notes after what was ordered (ORC), and an administration after its route (RXA).
 */
export function bearerOf(built: readonly Built[]): Built | undefined {
  const names = built.slice(0, 2).map(({ segment }) => segment.name);
  const isSecond = (names[0] === 'ORC' && names.length > 1) || names.join(' ') === 'RXA RXR';
  return built[isSecond ? 1 : 0];
}

/**
 * A note follows the segment before it, or waits for the first one. What another rule has said in
 * the same words there (a statement and its plan often do) is not said again.
 */
function addNote(built: readonly Built[], scope: Scope, note: Note): void {
  const notes = built.at(-1)?.notes ?? scope.leftovers;
  const again = notes.some(({ text, rule }) => text === note.text && rule !== note.rule);
  if (!again) notes.push(note);
}

function compileBody(
  segment: SegmentRule,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Build {
  const rule = ruleAt(place);
  const { note, terms, obx, value, type, segments, fields = {} } = segment;
  if (segments) {
    const builds = segments.map((one, i) =>
      compileSegment(one, below(place, 'segments', i), library, reading),
    );
    return (scope, built) => {
      for (const build of builds) build(scope, built);
    };
  }
  if (note) {
    const { produce } = compileValue(note, below(place, 'note'), library, reading);
    return (scope, built) => {
      for (const { made, traces } of produce(scope)) {
        addNote(built, scope, { text: String(made), rule, source: traces[0]?.source });
      }
    };
  }
  if (terms) return compileTerms(terms, below(place, 'terms'), library, reading);
  if (obx && value) return compileObservation(obx, value, type, place, library, reading);
  return compileFields(segment.segment ?? '', fields, place, library, reading);
}

/** The terms of a coded element that CE does not hold, as notes. */
function compileTerms(
  source: string,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Build {
  const path = compileAt(source, place, library, reading);
  const rule = ruleAt(place);
  if (path?.expression) for (const one of noteReads(path.expression, reading)) one.whole = true;
  return (scope, built) => {
    if (!path) return;
    const places = scope.run.options.trace ? placesOf(path, scope) : [];
    for (const [i, concept] of path.values(scope.focus, scope.variables).entries()) {
      scope.said.add(concept);
      for (const { text, source } of codedOnce(scope.run, concept)?.notes ?? []) {
        const place = places[i];
        addNote(built, scope, { text, rule, source: place && `${place}.${source}` });
      }
    }
  };
}

/** OBX: the type follows from the value; without a value there is no OBX. */
function compileObservation(
  identifier: string,
  value: ValueRule,
  type: string | undefined,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Build {
  const compiled = compileValue(value, below(place, 'value'), library, reading);
  const rule = ruleAt(below(place, 'value'));
  const [code, name] = identifier.split('^');
  const add = (own: string, group: readonly Produced[], scope: Scope, built: Built[]) => {
    const segment = newSegment('OBX', scope);
    segment.fields[2] = own;
    segment.fields[3] = [[code, name, 'L']];
    segment.fields[5] = group.map(repetition);
    segment.fields[11] = 'F';
    traceField(segment, 'OBX-5', group, rule);
    built.push({ segment, notes: [] });
  };
  return (scope, built) => {
    const produced = compiled.produce(scope);
    const [first] = produced;
    if (!first) return;
    if (produced.length === 1) return add(type ?? typeOf(first), produced, scope, built);
    const byType = new Map<string, Produced[]>();
    for (const one of produced) {
      const own = type ?? typeOf(one);
      const group = byType.get(own);
      if (group) group.push(one);
      else byType.set(own, [one]);
    }
    // The values of one OBX share a type: what differs goes into an OBX of its own.
    for (const [own, group] of byType) add(own, group, scope, built);
  };
}

/**
 * The type of a value, where no rule states it: ST holds 199 characters on one line (HL7 v2.4
 * §2.9.41), longer text is TX.
 */
function typeOf({ made, type }: Produced): string {
  if (type !== undefined) return type;
  if (typeof made !== 'string') return 'CE';
  return made.length > 199 || made.includes('\n') ? 'TX' : 'ST';
}

interface FieldTarget {
  field: number;
  component?: number;
  name: string;
  repeat: boolean;
  number: boolean;
  /** The paths of the rule, for what a field cannot hold. */
  label: string;
  rule: string;
  value: CompiledValue;
}

function compileFields(
  name: string,
  fields: Record<string, ValueRule>,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Build {
  const targets = Object.entries(fields).map(([target, rule]): FieldTarget => {
    const at = below(place, 'fields', target);
    const match = /^([A-Z][A-Z0-9]{2})-([1-9]\d?)(?:\.([1-9]\d?))?$/.exec(target);
    if (!match || match[1] !== name) {
      report(library, at, `"${target}" is no field of ${name}`, `write ${name}-3, or ${name}-3.2`);
    }
    return {
      field: Number(match?.[2] ?? 1),
      component: match?.[3] === undefined ? undefined : Number(match[3]),
      name: target,
      repeat: rule.repeat === 'yes',
      number: rule.number === 'yes',
      label: (rule.from ?? [rule.coded ?? target])[0] ?? target,
      rule: ruleAt(at),
      value: rule.number ? { produce: () => [] } : compileValue(rule, at, library, reading),
    };
  });
  // OBX-2 follows from OBX-5, unless a rule says what it is.
  const isTyped = name === 'OBX' && !targets.some(({ field }) => field === 2);
  return (scope, built) => {
    const segment = newSegment(name, scope);
    for (const target of targets) {
      const missed = scope.run.missed?.length;
      const first = fill(segment, target, scope);
      for (const one of scope.run.missed?.slice(missed) ?? []) one.place ??= target.name;
      if (isTyped && target.field === 5 && first) segment.fields[2] = typeOf(first);
    }
    if (segment.fields.some((field) => field !== undefined)) built.push({ segment, notes: [] });
  };
}

/** Fill one field; gives what stands there, where a rule made it. */
function fill(segment: MappedSegment, target: FieldTarget, scope: Scope): Produced | undefined {
  const { field, component, name } = target;
  if (target.number) {
    const next = (scope.run.counters.get(segment.name) ?? 0) + 1;
    scope.run.counters.set(segment.name, next);
    segment.fields[field] = String(next);
    segment.trace?.push({ target: name, rule: target.rule, source: 'position' });
    return undefined;
  }
  const text = plainText(target.value, scope);
  if (text !== undefined) {
    put(segment, field, component, text);
    return { made: text, traces: [] };
  }
  const produced = target.value.produce(scope);
  const [first] = produced;
  if (!first) return undefined;
  if (target.repeat) {
    segment.fields[field] = produced.map(repetition);
    traceField(segment, name, produced, target.rule);
    return first;
  }
  for (const { made, traces } of produced.slice(1)) {
    leave(scope, target.label, made.toString(), target.rule, traces[0]?.source);
  }
  put(segment, field, component, first.made);
  traceField(segment, name, [first], target.rule);
  return first;
}

function put(segment: MappedSegment, field: number, component: number | undefined, made: Made) {
  if (component === undefined) {
    segment.fields[field] = typeof made === 'string' ? made : [made];
    return;
  }
  const held = segment.fields[field];
  const components: Repetition = typeof held === 'object' ? (held[0] ?? []) : [];
  components[component - 1] =
    typeof made === 'string' ? made : made.map((one) => (Array.isArray(one) ? one[0] : one));
  segment.fields[field] = [components];
}

const repetition = ({ made }: Produced): Repetition => (typeof made === 'string' ? [made] : made);

function newSegment(name: string, scope: Scope): MappedSegment {
  const segment: MappedSegment = { name, fields: [], from: scope.from };
  if (scope.run.options.trace) segment.trace = [];
  return segment;
}

/** @param of the rule of the field, which may leave its components to a type */
function traceField(
  segment: MappedSegment,
  target: string,
  produced: readonly Produced[],
  of: string,
): void {
  for (const { traces } of segment.trace ? produced : []) {
    for (const { component, rule, source } of traces) {
      const place = component ? `${target}.${component}` : target;
      segment.trace?.push({ target: place, rule, source, ...(of !== rule && { of }) });
    }
  }
}
