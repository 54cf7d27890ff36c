/**
 * Every leaf of a Bundle: each value it holds, with the place where it stands and the path of its
 * element. Nothing is passed over but what names an element instead of being one: `resourceType`
 * and the URL of an extension, which is a step of the path (`ext(Name)`).
 */
import { extensionName } from '../mapping/evaluate.ts';
import { type Resource, identityOf } from '../mapping/record.ts';

export interface Leaf {
  /** Where it stands in its resource: `code.coding[1].code`, as provenance writes it. */
  place: string;
  /** Its element: `AllergyIntolerance.code.coding.code`, `Patient.ext(NHSCommunication).…`. */
  element: string;
  /** A text, a number or true/false; '' where an element is there and holds nothing. */
  value: string | number | boolean;
  /** What holds it. */
  parent: object;
}

/** One resource of a Bundle, a contained one, or the Bundle without its resources. */
export interface Audited {
  resource: Resource;
  identity: string;
  /** The resource it is contained in. */
  holder?: Resource;
  /** `Bundle.entry[3]`, `Bundle.entry[3].contained[0]`; `Bundle` for the Bundle itself. */
  at: string;
  leaves: Leaf[];
}

/**
 * Every resource of a Bundle with its leaves, the Bundle itself first.
 * @param bundle a parsed Bundle; nothing is assumed of its shape
 */
export function leavesOf(bundle: Resource): Audited[] {
  const all: Audited[] = [];
  addResource(bundle, 'Bundle', undefined, all);
  return all;
}

function addResource(
  resource: Resource,
  at: string,
  holder: Resource | undefined,
  all: Audited[],
): void {
  const { resourceType } = resource;
  const own: Audited = { resource, identity: identityOf(resource), holder, at, leaves: [] };
  all.push(own);
  walkMembers(resource, '', resourceType);

  function walkMembers(parent: object, place: string, element: string, without = ''): void {
    for (const [name, value] of Object.entries(parent) as [string, unknown][]) {
      if (name === without || (parent === resource && name === 'resourceType')) continue;
      walk(value, name, place === '' ? name : `${place}.${name}`, element, parent);
    }
  }

  function walk(value: unknown, name: string, place: string, within: string, parent: object): void {
    // A null only keeps the place of an extension of a repeated value (FHIR JSON §2.6.2.3).
    if (value === null || value === undefined) return;
    if (Array.isArray(value) && value.length > 0) {
      for (const [i, one] of value.entries()) walk(one, name, `${place}[${i}]`, within, parent);
      return;
    }
    if (typeof value === 'object' && isResource(value)) {
      const inside = resourceType === 'Bundle' ? undefined : resource;
      addResource(value, `${at}.${place}`, inside, all);
      return;
    }
    const element = `${within}.${stepOf(name, value)}`;
    if (typeof value === 'object' && Object.keys(value).length > 0) {
      walkMembers(value, place, element, element.endsWith(')') ? 'url' : '');
      return;
    }
    const held = typeof value === 'object' ? '' : (value as Leaf['value']);
    own.leaves.push({ place, element, value: held, parent });
  }
}

/** An extension is named by its URL, everything else by its name. */
function stepOf(name: string, value: unknown): string {
  const { url } = value as { url?: unknown };
  const kind = name === 'extension' ? 'ext' : name === 'modifierExtension' ? 'modifierExt' : '';
  return kind === '' || typeof url !== 'string' ? name : `${kind}(${extensionName(url)})`;
}

function isResource(value: object): value is Resource {
  return typeof (value as Resource).resourceType === 'string';
}
