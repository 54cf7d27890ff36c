/**
 * The dictionary's message structures, mended. It keeps the parts of a group in an object keyed by
 * name, so of a segment that stands twice (ROL in ADT_A01) only the last is left; but each part
 * carries its place, and the object keeps the order in which the names first came. The hole and
 * that order say what stood there.
 */
import type { HL7MessageSegmentsDefinition } from 'hl7v2-dictionary';
import { segmentsOf } from '../../engine/hl7/definitions/notation.ts';
import type { Structure, StructureNode } from '../../engine/hl7/definitions/notation.ts';

const anyNumber = { min: 0, repeats: true } as const;

type Parts = Record<string, HL7MessageSegmentsDefinition>;

/** Group name → its choice of segments, for the places where the dictionary lost the names (",,,"). */
export type Choices = Map<string, string[]>;

/** The choices of segments (`OBR,RXO`) in a set of messages, by the group they stand in. */
export function choicesOf(messages: Iterable<Parts>): Choices {
  const choices: Choices = new Map();
  const walk = (parts: Parts, group: string): void => {
    for (const [name, part] of Object.entries(parts)) {
      if (part.segments) walk(part.segments, name);
      else if (/^[A-Z]/.test(name) && name.includes(',')) choices.set(group, name.split(','));
    }
  };
  for (const parts of messages) walk(parts, '');
  return choices;
}

/**
 * A structure of the dictionary as a tree.
 * @returns undefined where it has a part of which the name is lost altogether
 */
export function mendedStructure(
  id: string,
  version: string,
  parts: Parts,
  choices: Choices,
): Structure | undefined {
  const items = nodes(parts, '', choices);
  if (!items) return undefined;
  const header = items[0]?.kind === 'segment' && items[0].name === 'MSH';
  const structure = { id, items: header ? items : [segment('MSH'), ...items] };
  const present = segmentsOf(structure);
  const [first, ...rest] = structure.items;
  if (!first) return undefined;
  // Structures the dictionary took over from an older version lack what every message may hold:
  // SFT from 2.5 and UAC from 2.6 on (§2.14).
  const late: StructureNode[] = [];
  if (version >= '2.5' && !present.has('SFT')) late.push({ ...segment('SFT'), ...anyNumber });
  const software = rest[0]?.kind === 'segment' && rest[0].name === 'SFT' ? rest.splice(0, 1) : [];
  if (version >= '2.6' && !present.has('UAC')) late.push({ ...segment('UAC'), min: 0 });
  return { id, items: [first, ...software, ...late, ...rest] };
}

function nodes(parts: Parts, group: string, choices: Choices): StructureNode[] | undefined {
  const items: StructureNode[] = [];
  for (const [name, part] of inPlace(parts)) {
    const occurrence = { min: part.min === 1 ? 1 : 0, repeats: part.max !== 1 } as const;
    if (part.segments) {
      const inner = nodes(part.segments, name, choices);
      if (!inner) return undefined;
      const groupName = name.replaceAll(/[^A-Z0-9_]/g, '_');
      // TQ1 groups of 2.6 lost their brackets; a timing is nowhere required exactly once.
      const once = occurrence.min === 1 && !occurrence.repeats;
      const timing = once && name.startsWith('TIMING') ? anyNumber : undefined;
      items.push({ kind: 'group', name: groupName, items: inner, ...occurrence, ...timing });
    } else if (/^[A-Z][A-Z0-9]{2}$/.test(name)) {
      items.push({ kind: 'segment', name, ...occurrence });
    } else if (name.includes(',')) {
      // Outside every group (SDD,SCD in SCN_S37) more was lost than how often it may stand.
      const names = name.startsWith(',') ? choices.get(group) : name.split(',');
      if (!names || group === '') return undefined;
      items.push(choice(names, items.length > 0 ? occurrence : undefined));
    } else {
      return undefined;
    }
  }
  return splitLostChoice(items);
}

/** The parts by their place, with those that were overwritten put back. */
function inPlace(parts: Parts): [string, HL7MessageSegmentsDefinition][] {
  const firstSeen = Object.entries(parts);
  const placed = new Map(firstSeen.map((entry) => [entry[1].idx, entry]));
  const last = Math.max(...placed.keys());
  const result: [string, HL7MessageSegmentsDefinition][] = [];
  const names = new Set<string>();
  for (let place = 0; place <= last; place++) {
    let entry = placed.get(place);
    if (!entry) {
      // Usually the next new name. If that one stands in the very next place anyway, then it is a
      // name seen before that comes once more later (NTE in NMR_N01).
      const fresh = firstSeen[names.size];
      const again = firstSeen.find(([name, { idx }]) => names.has(name) && idx > place);
      entry = fresh && (fresh[1].idx > place + 1 || !again) ? fresh : again;
      if (!entry)
        throw new Error(`Nothing fits place ${place} of ${Object.keys(parts).join(' ')}.`);
    }
    names.add(entry[0]);
    result.push(entry);
  }
  return result;
}

/**
 * A choice stands once (HL7 v2.5 §2.12, `< | >`); the dictionary lost how often. It is required
 * where it opens its group: the group is what is optional there.
 */
function choice(names: string[], occurrence: { min: 0 | 1 } | undefined): StructureNode {
  const min = occurrence ? occurrence.min : 1;
  return { kind: 'choice', items: names.map(segment), min, repeats: false };
}

/** "OBR, etc." of the order detail came through as OBR followed by RXO: one or the other. */
function splitLostChoice(items: StructureNode[]): StructureNode[] {
  const [first, second, ...rest] = items;
  const lost =
    first?.kind === 'segment' &&
    first.name === 'OBR' &&
    second?.kind === 'segment' &&
    second.name === 'RXO';
  return lost ? [choice(['OBR', 'RXO'], undefined), ...rest] : items;
}

function segment(name: string): StructureNode {
  return { kind: 'segment', name, min: 1, repeats: false };
}
