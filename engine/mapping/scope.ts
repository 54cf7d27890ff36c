/** What is at hand while one record is mapped: shared by the compiled rules. */
import type { Beside, Dataset } from '../gp/port.ts';
import type { ContentVersion } from '../hl7/version.ts';
import { type CodeNaming, type CodedElement, codedElement } from './coded.ts';
import type { Reading } from './coverage.ts';
import type { Produced } from './leaf.ts';
import type { Missed, Profile } from './mapped.ts';
import type { Values } from './evaluate.ts';
import type { IndexedRecord, Resource } from './record.ts';
import type { BuiltItem } from './tree.ts';

export interface MapOptions {
  datasets: readonly Dataset[];
  profile: Profile;
  /** HL7 version of the answer; a rule asks for it with `%version = '2.5.1'`. */
  version: ContentVersion;
  /** The time of the answer; the only clock a mapping knows. */
  now: Date;
  /** Give every field its rule and its source element. */
  trace?: boolean;
  /** Names of coding systems at this site, by URI; they win over the table. */
  codingSystems?: Readonly<Record<string, string>>;
  /** What this site wants in fields the GP record does not give (`%site.patientClass`). */
  site?: { patientClass?: string; diagnosisType?: string; unknownStatus?: string };
  /** What was not asked for because of the dates, by dataset, in a sentence. */
  limits?: Partial<Record<Dataset, string>>;
  /** What was asked for beside the record; it answers datasets in the record's place. */
  beside?: Beside;
}

/** One mapping of one record. */
export interface Run {
  record: IndexedRecord;
  options: MapOptions;
  naming: CodeNaming;
  /** `%site`, `%profile`, `%version`, `%now`. */
  variables: Readonly<Record<string, Values>>;
  /** Set ids given so far, by segment name. */
  counters: Map<string, number>;
  /** Coded elements already mapped: one concept is often read by several rules. */
  coded: Map<unknown, CodedElement | undefined>;
  /** Values of types (`as`) already made, by type and source: one person signs many items. */
  typed: Map<string, Map<unknown, Produced>>;
  /** How often something was left, said again or not. */
  left: number;
  /** Every resource that was carried, with what the rules that carried it read. */
  presented: Map<Resource, Set<Reading>>;
  /** The item that is being built, and the first that carried each resource. */
  item?: BuiltItem;
  items: Map<Resource, BuiltItem>;
  /** Codes that were in no table; only with a trace. */
  missed?: Missed[];
  /** Warnings for the analyst with how often each occurred: codes and paths, never values. */
  warnings: Map<string, number>;
}

/** A text that a field could not hold, to be carried as a note of the item. */
export interface Note {
  text: string;
  rule?: string;
  source?: string;
}

/** One resource under the rules of one item. */
export interface Scope {
  run: Run;
  resource: Resource;
  /** Identity of the resource, `AllergyIntolerance/123`. */
  from: string;
  /** Joined resources and the run's variables. */
  variables: Record<string, Values>;
  /** Where paths begin: the resource, or one element of it. */
  focus: Values;
  /** Place of the focus, `AllergyIntolerance/123#reaction[0]`; only with a trace. */
  at: string;
  /**
   * Places of joined resources, each with the reference that led there:
   * `AllergyIntolerance/1#recorder → Practitioner/5#`. Only with a trace.
   */
  places: Record<string, readonly string[]>;
  /** What fields could not hold. */
  leftovers: Note[];
  /** Coded elements shown here whose further terms no rule has said so far. */
  unsaid: Map<unknown, { label: string; rule: string; place: string }>;
  /** Words beside references that say another name than what the reference leads to. */
  displays: { words: string; label: string; rule: string; place: string }[];
  /** Coded elements whose further terms a rule has said. */
  said: Set<unknown>;
}

/** The same scope with its paths beginning at one value. */
export function focusOn(scope: Scope, value: unknown, at: string): Scope {
  // Not spread, which costs many times as much, and this is done for every composite value.
  const { run, resource, from, variables, places, leftovers, unsaid, said, displays } = scope;
  return {
    run,
    resource,
    from,
    variables,
    focus: [value],
    at,
    places,
    leftovers,
    unsaid,
    said,
    displays,
  };
}

/** Count a warning. */
export function warn(run: Run, warning: string): void {
  run.warnings.set(warning, (run.warnings.get(warning) ?? 0) + 1);
}

/** How a note begins that holds what a field could not. */
export const leftNote = 'Also in the GP record: ';

/**
 * Carry what a field could not hold as a note: nothing is dropped in silence. Once an item.
 * @param source where it stands; only with a trace
 */
export function leave(
  scope: Scope,
  label: string,
  text: string,
  rule: string,
  source = scope.at,
): void {
  scope.run.left++;
  const whole = `${leftNote}${label} = ${text}`;
  const { trace } = scope.run.options;
  const said = scope.leftovers.find((note) => note.text === whole);
  if (!said) scope.leftovers.push({ text: whole, rule, source: trace ? source : undefined });
  else if (trace) said.source = `${said.source}, ${source}`;
}

/** Carry the further terms of coded elements that no `terms` rule of the item has said. */
export function leaveTerms(scope: Scope): void {
  for (const [concept, { label, rule, place }] of scope.unsaid) {
    if (scope.said.has(concept)) continue;
    for (const { text, source } of codedOnce(scope.run, concept)?.notes ?? []) {
      leave(scope, label, text, rule, `${place}.${source}`);
    }
  }
}

/** A CodeableConcept as CE, mapped once. */
export function codedOnce(run: Run, concept: unknown): CodedElement | undefined {
  let coded = run.coded.get(concept);
  if (coded === undefined) {
    coded = codedElement(concept, run.naming);
    run.coded.set(concept, coded);
  }
  return coded;
}

/** Note that a resource was carried by rules that read this much of it. */
export function present(run: Run, resource: Resource, reading: Reading): void {
  const held = run.presented.get(resource);
  if (held) held.add(reading);
  else run.presented.set(resource, new Set([reading]));
  // Of the patient the last: PID, which is built after the datasets.
  if (run.item && (!held || resource === run.record.patient)) run.items.set(resource, run.item);
}
