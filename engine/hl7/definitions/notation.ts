/**
 * Message structures in the abstract message syntax of HL7 (v2.5 §2.12), as one line of text:
 *
 *     MSH MSA [ERR] [QAK] QRD [QRF] [{QUERY_RESPONSE: [EVN] PID [PD1] PV1 [{OBX}]}] [DSC]
 *
 * `[ ]` optional, `{ }` repeating, `< | >` one of several, `( )` a group that stands exactly once.
 * A group may be named: `{ORDER: ORC [OBR]}`. Both the structures of the standard (the generated
 * files beside this one) and Gatehouse's own (`profile.ts`) are written so.
 */

interface Occurrence {
  /** 0 = optional. */
  min: 0 | 1;
  repeats: boolean;
}

export type StructureNode = Occurrence &
  (
    | { kind: 'segment'; name: string }
    | { kind: 'group'; name?: string; items: StructureNode[] }
    | { kind: 'choice'; items: StructureNode[] }
  );

/** A message structure: its id (`ADT_A01`) and its segments and groups in order. */
export interface Structure {
  id: string;
  items: StructureNode[];
}

const token = /\s*(?:([A-Z][A-Z0-9_]*)\s*:|([A-Z][A-Z0-9]{2})(?![A-Z0-9_])|([[\]{}()<>|]))\s*/y;
const closing: Record<string, string> = { '[': ']', '{': '}', '(': ')', '<': '>' };

/**
 * Read a structure from its notation.
 * @param id the structure's name, also used in the error
 * @throws Error with the column where the notation is wrong
 */
export function parseStructure(id: string, text: string): Structure {
  const tokens: { group?: string; segment?: string; sign?: string; at: number }[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw wrong(at, 'is neither a segment, a group name nor a bracket');
    tokens.push({ group: found[1], segment: found[2], sign: found[3], at });
  }
  let next = 0;
  const items = sequence(undefined);
  if (items.length === 0) throw wrong(0, 'holds no segment');
  return { id, items };

  function sequence(end: string | undefined): StructureNode[] {
    const found: StructureNode[] = [];
    for (;;) {
      const current = tokens[next];
      if (!current && end === undefined) return found;
      if (!current) throw wrong(text.length, `lacks the closing ${end}`);
      const ends = current.sign === end || (current.sign === '|' && end === '>');
      if (current.sign && ends) return found;
      found.push(item());
    }
  }

  function item(): StructureNode {
    const current = tokens[next++];
    if (current?.segment) return { kind: 'segment', name: current.segment, min: 1, repeats: false };
    const end = current?.sign && closing[current.sign];
    if (!end) throw wrong(current?.at ?? text.length, 'is not the beginning of an item');
    if (current.sign === '<') return choice(current.at);
    const name = tokens[next]?.group;
    if (name !== undefined) next++;
    const items = sequence(end);
    next++;
    if (items.length === 0) throw wrong(current.at, 'holds no segment');
    const only = items.length === 1 && name === undefined ? items[0] : undefined;
    const group = { kind: 'group', ...(name && { name }), items, min: 1, repeats: false } as const;
    const node: StructureNode = only ?? group;
    if (current.sign === '[') return { ...node, min: 0 };
    return current.sign === '{' ? { ...node, repeats: true } : node;
  }

  function choice(at: number): StructureNode {
    const items: StructureNode[] = [];
    do {
      const alternative = sequence('>');
      if (alternative.length === 0) throw wrong(at, 'has an empty alternative');
      const only = alternative.length === 1 ? alternative[0] : undefined;
      items.push(only ?? { kind: 'group', items: alternative, min: 1, repeats: false });
    } while (tokens[next++]?.sign === '|');
    return { kind: 'choice', items, min: 1, repeats: false };
  }

  function wrong(at: number, what: string): Error {
    return new Error(`Structure ${id}, column ${at + 1}: "${text.slice(at, at + 12)}" ${what}.`);
  }
}

/** The notation of a structure; `parseStructure` gives the same structure back. */
export function formatStructure(structure: Structure): string {
  return structure.items.map(formatNode).join(' ');
}

function formatNode(node: StructureNode): string {
  let body: string;
  if (node.kind === 'segment') body = node.name;
  else if (node.kind === 'choice') body = `<${node.items.map(alternative).join('|')}>`;
  else {
    body = `${node.name ? `${node.name}: ` : ''}${node.items.map(formatNode).join(' ')}`;
    if (node.min === 1 && !node.repeats) body = `(${body})`;
  }
  if (node.repeats) body = `{${body}}`;
  return node.min === 0 ? `[${body}]` : body;
}

/** An alternative needs no brackets of its own: `<RXO [{NTE}]|OBR>`. */
function alternative(node: StructureNode): string {
  const bare = node.kind === 'group' && !node.name && node.min === 1 && !node.repeats;
  return bare ? node.items.map(formatNode).join(' ') : formatNode(node);
}

/** Every segment name a structure mentions. */
export function segmentsOf(structure: Structure): Set<string> {
  const names = new Set<string>();
  const walk = (node: StructureNode): void => {
    if (node.kind === 'segment') names.add(node.name);
    else node.items.forEach(walk);
  };
  structure.items.forEach(walk);
  return names;
}
