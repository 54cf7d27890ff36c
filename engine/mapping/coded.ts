/**
 * CodeableConcept → CE, one rule for the whole mapping: SNOMED CT in components 1–3, the GP
 * system's own (Read, local) coding in 4–6; each term stays with its own code. What CE cannot hold
 * is given as notes, word for word.
 */
import { extensionName, member, textOf } from './evaluate.ts';

export const snomed = 'http://snomed.info/sct';

export interface CodeNaming {
  /** The name of a coding system in CE-3 and CE-6, for example `SCT`. */
  systemName(uri: string): string | undefined;
  /** Codes that say the real code was lost in a transfer; the text is the only meaning. */
  isDegraded(code: string): boolean;
}

export interface CodedElement {
  /** The six components of a CE. */
  components: (string | undefined)[];
  /** Element path, below the concept, of each component. */
  sources: (string | undefined)[];
  /** For NTE: terms and codes that CE does not hold. */
  notes: { text: string; source: string }[];
}

interface Coding {
  at: string;
  system?: string;
  code?: string;
  display?: string;
  /** The SNOMED description chosen, where it differs from the display. */
  description?: string;
  chosen: boolean;
}

/** Map a CodeableConcept; undefined where it holds neither a coding nor text. */
export function codedElement(concept: unknown, naming: CodeNaming): CodedElement | undefined {
  const text = textOf(member([concept], 'text')[0]);
  const codings = member([concept], 'coding').map(readCoding);
  const [first, second, ...others] = inOrder(codings, naming);
  if (!first && text === undefined) return undefined;

  const degraded = first?.code !== undefined && naming.isDegraded(first.code);
  const own = first?.display ?? first?.description;
  const term = degraded ? (text ?? own) : (own ?? text);
  const name = (coding: Coding | undefined) => coding?.system && naming.systemName(coding.system);
  const components = [
    first?.code,
    term,
    first?.code === undefined ? undefined : name(first),
    second?.code,
    second?.display ?? second?.description,
    second && name(second),
  ];
  const termSource = term === text ? 'text' : `${first?.at}.display`;
  const sources = [
    first && `${first.at}.code`,
    term === undefined ? undefined : termSource,
    first && `${first.at}.system`,
    second && `${second.at}.code`,
    second && `${second.at}.display`,
    second && `${second.at}.system`,
  ];

  const notes: CodedElement['notes'] = [];
  const shown = new Set([term, components[4]]);
  const note = (text: string, source: string) => notes.push({ text, source });
  if (degraded && first) {
    if (text !== undefined) {
      note(`Transferred without its code; the text is all that is known: ${text}`, 'text');
    }
    if (own !== undefined && own !== term) note(`Code term: ${own}`, `${first.at}.display`);
  }
  // Hosts show CE-2: the term the GP chose is said again where it is another one.
  const chosen = codings.find((coding) => coding.chosen);
  const chosenTerm = chosen?.display ?? chosen?.description;
  if (chosen && chosenTerm !== undefined && chosenTerm !== term) {
    note(`GP term: ${chosenTerm}`, `${chosen.at}.display`);
    shown.add(chosenTerm);
  }
  if (text !== undefined && !shown.has(text)) {
    note(`GP text: ${text}`, 'text');
    shown.add(text);
  }
  for (const coding of codings) {
    const { description, at } = coding;
    if (description === undefined || shown.has(description) || description === coding.display) {
      continue;
    }
    note(`SNOMED CT description: ${description}`, `${at}.extension`);
    shown.add(description);
  }
  for (const coding of others) {
    const words = [coding.code, coding.display, name(coding)].filter((one) => one !== undefined);
    note(`Also coded: ${words.join(' ')}`, coding.at);
  }
  return { components, sources, notes };
}

/** Primary first, alternate second, then the rest as they came. */
function inOrder(codings: Coding[], naming: CodeNaming): Coding[] {
  const isSnomed = (coding: Coding) => coding.system === snomed;
  const primary =
    codings.find((one) => isSnomed(one) && one.code && !naming.isDegraded(one.code)) ??
    codings.find(isSnomed) ??
    codings.find((one) => one.chosen) ??
    codings[0];
  const rest = codings.filter((one) => one !== primary);
  const alternate = rest.find((one) => one.chosen) ?? rest.find((one) => !isSnomed(one)) ?? rest[0];
  const others = rest.filter((one) => one !== alternate);
  return [primary, alternate, ...others].filter((one) => one !== undefined);
}

function readCoding(value: unknown, index: number): Coding {
  const at = `coding[${index}]`;
  const text = (name: string) => textOf(member([value], name)[0]);
  const details = member([value], 'extension').filter((one) => named(one, 'coding-sctdescid'));
  const [description] = member(
    member(details, 'extension').filter((one) => named(one, 'descriptiondisplay')),
    'valueString',
  );
  return {
    at,
    system: text('system'),
    code: text('code'),
    display: text('display'),
    description: textOf(description),
    chosen: member([value], 'userSelected')[0] === true,
  };
}

/** Extension of this name; `DescriptionDisplay` and `descriptionDisplay` both occur. */
function named(extension: unknown, name: string): boolean {
  const [url] = member([extension], 'url');
  return typeof url === 'string' && extensionName(url).toLowerCase() === name;
}
