/**
 * An item with all that hangs on it: each resource once, in the order in which it is referred to.
 * Cycles, dangling references, repeated ids and lists without ids end here; nothing of them is lost.
 */
import { type Joined, bareScope, leadsNowhere } from './body.ts';
import { warningCodes } from './completeness.ts';
import { type Variables, child, member, textOf } from './evaluate.ts';
import type { CompiledChild, CompiledPart, Found } from './parts.ts';
import { type Resource, identityOf, isNamed, localReference } from './record.ts';
import { type Run, leave, leaveTerms, present, warn } from './scope.ts';
import { type Built, bearerOf } from './segments.ts';

/** One resource as built: its segments, and those of what hangs on it. */
export interface BuiltItem {
  segments: Built[];
  children: BuiltItem[];
}

/** An item as it was listed, with all that hangs on it. */
export interface BuiltTree extends BuiltItem {
  /** Things referred to that were not in the reply: `Medication/12`. */
  missing: string[];
  /** What the resources say of themselves that concerns the whole dataset. */
  cautions: { code: string; text: string }[];
}

/** Where a tree stands. */
export interface Setting {
  run: Run;
  /** The name of its list, `%list`. */
  list: string;
  holder?: Resource;
  /** Listed resources, with whether they have been shown: each is shown once. */
  shown?: Map<Resource, boolean>;
  /** Whether another dataset of this answer shows a resource. */
  elsewhere?: (resource: Resource) => boolean;
}

/** Deeper than this what hangs on an item stands side by side: no record is nested so on purpose. */
const deepest = 40;

interface Frame {
  part: CompiledPart;
  joined: Joined;
  item: BuiltItem;
  /** The child rule that is walked, and how far. */
  rule: number;
  found?: Found[];
  at: number;
  /** Resources that no part of a rule took; a later rule may. */
  untaken: { child: CompiledChild; found: Found; resource: Resource }[];
}

/** Build a listed resource with all that hangs on it. */
export function buildTree(part: CompiledPart, resource: Resource, setting: Setting): BuiltTree {
  const { run, list, shown } = setting;
  const tree: BuiltTree = { segments: [], children: [], missing: [], cautions: [] };
  const seen = new Set([resource]);
  const variables = { list: [list] };
  shown?.set(resource, true);
  const stack = [open(part, resource, setting, variables, tree, tree)];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const next = step(frame, setting);
    if (!next) {
      close(frame, seen, tree);
      stack.pop();
      continue;
    }
    const { child, found, resource: target } = next;
    if (seen.has(target)) continue;
    const parent = frame.joined.scope.resource;
    const taking = takerOf(child, target, parent, setting);
    if (!taking) {
      // What merely refers to us and is of another kind is not ours.
      if (child.reading) continue;
      frame.untaken.push({ child, found, resource: target });
      continue;
    }
    seen.add(target);
    // Each listed resource is shown once, and by its own rule where it has one.
    if (shown?.get(target) || (shown?.has(target) && taking.type === '*')) {
      const words = `${identityOf(target)} (shown in this answer on its own)`;
      leave(frame.joined.scope, child.path.source, words, child.rule, found.place);
      continue;
    }
    if (shown?.has(target)) shown.set(target, true);
    const { reading } = child;
    if (reading && !taking.isNamed) present(run, target, reading);
    const above = taking.isNotes ? frame.item : (stack[deepest - 1] ?? frame).item;
    const item = taking.isNotes ? above : { segments: [], children: [] };
    if (!taking.isNotes) above.children.push(item);
    const place = run.options.trace ? placeOf(found.place, target) : undefined;
    const known = variablesOf(target, parent, setting);
    stack.push(open(taking, target, setting, known, item, tree, place));
  }
  return tree;
}

/**
 * The listed resources that hang on this one, directly or through others that are not listed: they
 * are shown with it.
 */
export function listedBelow(
  part: CompiledPart | undefined,
  resource: Resource,
  setting: Setting,
): Resource[] {
  const { run, list, holder, shown } = setting;
  const found: Resource[] = [];
  const seen = new Set([resource]);
  const walk = part ? [{ part, resource }] : [];
  for (let one = walk.pop(); one; one = walk.pop()) {
    for (const child of one.part.children) {
      const scope = bareScope(one.resource, { list: [list] }, run);
      for (const target of child.find(scope, holder).flatMap(({ resources }) => resources)) {
        if (seen.has(target)) continue;
        const taking = takerOf(child, target, one.resource, setting);
        if (!taking || taking.type === '*') continue;
        seen.add(target);
        // Where a listed one is met, its own walk goes on from there.
        if (shown?.has(target)) found.push(target);
        else walk.push({ part: taking, resource: target });
      }
    }
  }
  return found;
}

/** What a part knows besides the variables of the run. */
function variablesOf(resource: Resource, parent: Resource, { list, elsewhere }: Setting) {
  return { list: [list], parent: [parent], elsewhere: [elsewhere?.(resource) ?? false] };
}

/** The first part that takes a resource. */
function takerOf(child: CompiledChild, resource: Resource, parent: Resource, setting: Setting) {
  let known: Variables | undefined;
  const variables = () =>
    (known ??= { ...setting.run.variables, ...variablesOf(resource, parent, setting) });
  return child.parts().find((one) => one.takes(resource, variables));
}

/** Build the segments of one resource; what hangs on it comes after. */
function open(
  part: CompiledPart,
  resource: Resource,
  { run, holder }: Setting,
  variables: Variables,
  item: BuiltItem,
  tree: BuiltTree,
  place?: string,
): Frame {
  const joined = part.join(resource, holder, run, variables, place);
  run.item = item;
  item.segments.push(...part.build(joined));
  if (!part.isNamed) {
    if (otherSubject(resource, run)) {
      tree.cautions.push(subjectDiffers);
      joined.scope.leftovers.push({ text: subjectDiffers.text });
    }
    if (resource.resourceType === 'List') tree.cautions.push(...warnings(resource));
  }
  return { part, joined, item, rule: 0, at: 0, untaken: [] };
}

/**
 * A resource that was found at a place: by a reference that stands there, or there itself. Only the
 * last reference is told: those before it are told of what they led to.
 */
function placeOf(found: string, resource: Resource): string {
  const own = `${identityOf(resource)}#`;
  const last = found
    .split(', ')
    .map((one) => one.split(' → ').at(-1))
    .join(', ');
  return last === own ? own : `${last} → ${own}`;
}

/** The next resource that hangs here; references that lead nowhere are said on the way. */
function step(
  frame: Frame,
  { holder }: Setting,
): { child: CompiledChild; found: Found; resource: Resource } | undefined {
  const { part, joined } = frame;
  for (let child = part.children[frame.rule]; child; child = part.children[++frame.rule]) {
    frame.found ??= child.find(joined.scope, holder).flatMap((found) => {
      if (found.resources.length > 0) {
        return found.resources.map((resource) => ({ ...found, resources: [resource] }));
      }
      leadsNowhere(joined, found.reference, child.path, child.rule, found.place);
      return [];
    });
    const found = frame.found[frame.at++];
    const [resource] = found?.resources ?? [];
    if (found && resource) return { child, found, resource };
    frame.found = undefined;
    frame.at = 0;
  }
  return undefined;
}

/** What no part carried is said; what fields could not hold becomes notes. */
function close(frame: Frame, seen: ReadonlySet<Resource>, tree: BuiltTree): void {
  const { joined, item } = frame;
  for (const { child, found, resource } of frame.untaken) {
    if (seen.has(resource)) continue;
    warn(joined.scope.run, `${child.rule}: no part takes a ${resource.resourceType}`);
    const words = `${identityOf(resource)} (not carried)`;
    leave(joined.scope, child.path.source, words, child.rule, found.place);
    joined.missing.push(identityOf(resource));
  }
  tree.missing.push(...joined.missing);
  tree.cautions.push(...joined.several.filter(isClinical).map(severalVersions));
  attach(item, joined);
  item.children = loneFirst(item.children);
}

/**
 * Whether an item begins a group of its own (OBR, ORC …): the OBX that stand before it belong to
 * the item above, those after it to this one.
 */
export function opensGroup({ segments }: BuiltItem): boolean {
  return segments.length > 0 && segments[0]?.segment.name !== 'OBX';
}

/**
 * What opens no group stands before what does: below another's OBR or RXA an OBX would be taken for
 * a part of that one.
 */
export function loneFirst<T extends BuiltItem>(items: readonly T[]): T[] {
  return [...items.filter((one) => !opensGroup(one)), ...items.filter(opensGroup)];
}

/** Notes that no segment took stand after the first; an item of notes alone gets an OBX for them. */
function attach({ segments }: BuiltItem, { scope }: Joined): void {
  leaveTerms(scope);
  for (const { words, label, rule, place } of scope.displays) {
    if (!says(segments, words)) leave(scope, label, words, rule, place);
  }
  if (scope.leftovers.length === 0) return;
  if (segments.length === 0) {
    const fields = [undefined, '1', 'ST', [['GPREC.NOTES', 'Notes', 'L']], undefined, 'see notes'];
    fields[11] = 'F';
    segments.push({ segment: { name: 'OBX', fields, from: scope.from }, notes: [] });
  }
  bearerOf(segments)?.notes.push(...scope.leftovers);
}

/** Whether segments hold these words. */
function says(segments: readonly Built[], words: string): boolean {
  const holds = (part: unknown): boolean =>
    Array.isArray(part) ? part.some(holds) : typeof part === 'string' && part.includes(words);
  return segments.some(({ segment, notes }) =>
    holds([segment.fields, notes.map(({ text }) => text)]),
  );
}

/** A resource of people or places that is not in the reply, or twice, costs no clinical content. */
export const isClinical = (reference: string) =>
  !/^(Practitioner|PractitionerRole|Organization|Location|Encounter|Patient)$/.test(
    localReference(reference).split('/')[0] ?? '',
  );

/** Said where nobody can tell which of several is meant. */
export const severalVersions = (reference: string) => ({
  code: 'several-versions',
  text: `The GP system sent several different items under one id; all of them are shown: ${reference}`,
});

/** Said of an item that is recorded under another patient. */
export const subjectDiffers = {
  code: 'subject-differs',
  text: 'The GP system recorded this item under another patient id than the patient of this record',
};

/** Whether a resource says that it is about another patient than this record. */
export function otherSubject(resource: Resource, run: Run): boolean {
  const { patient } = run.record;
  const subject = child(resource, 'patient') ?? child(resource, 'subject');
  if (patient === undefined || subject === undefined) return false;
  const reference = textOf(child(subject, 'reference'));
  if (reference === undefined) {
    const number = child(child(subject, 'identifier'), 'value');
    const own = member(member([patient], 'identifier'), 'value');
    const name = textOf(child(subject, 'display'));
    if (number !== undefined) return !own.includes(number);
    return name !== undefined && !isNamed(patient, name);
  }
  const target = run.record.resolve(reference);
  return (target ? identityOf(target) : localReference(reference)) !== identityOf(patient);
}

/** Warnings of a list that stands inside the record: a part of it may be missing. */
function warnings(list: Resource): BuiltTree['cautions'] {
  return warningCodes(list).map((code) => ({
    code,
    text: `A list within this record is marked: ${code}`,
  }));
}
