/**
 * Which elements FHIR STU3 knows, from the model of the `fhirpath` package. Loaded only when a
 * resource is left behind whole: an element that FHIR does not know is never left with it.
 */
import { createRequire } from 'node:module';

interface Model {
  /** `Patient.name` → `HumanName`. */
  path2Type: Readonly<Record<string, string>>;
  /** `Observation.value` → the types it may have. */
  choiceTypePaths: Readonly<Record<string, readonly string[]>>;
  /** `Observation.component.referenceRange` → `Observation.referenceRange`. */
  pathsDefinedElsewhere: Readonly<Record<string, string>>;
  type2Parent: Readonly<Record<string, string>>;
}

let loaded: Model | undefined;

function model(): Model {
  loaded ??= createRequire(import.meta.url)('fhirpath/fhir-context/stu3') as Model;
  return loaded;
}

/**
 * Whether FHIR STU3 knows an element of a resource.
 * @param element `Observation.valueQuantity.unit`, `Patient.ext(Name).valueCode`
 * @param extensions names of the extensions that are known
 */
export function isStandard(element: string, extensions: ReadonlySet<string>): boolean {
  // The names of extensions may hold dots.
  const [type = '', ...steps] = element.split(/\.(?![^(]*\))/);
  let at = type;
  for (const step of steps) {
    const name = /^(?:ext|modifierExt)\((.*)\)$/.exec(step)?.[1];
    if (name !== undefined && !extensions.has(name)) return false;
    const next = name === undefined ? childOf(at, step) : 'Extension';
    if (next === undefined) return false;
    at = next;
  }
  return true;
}

/** Where an element's own elements are described: its type, or its path where it has no type. */
function childOf(at: string, name: string): string | undefined {
  const { path2Type, choiceTypePaths, pathsDefinedElsewhere, type2Parent } = model();
  for (let owner: string | undefined = at; owner !== undefined; owner = type2Parent[owner]) {
    const path = `${owner}.${name}`;
    const elsewhere = pathsDefinedElsewhere[path];
    if (elsewhere !== undefined) return elsewhere;
    const type = path2Type[path];
    if (type !== undefined) return structural.has(type) ? path : type;
    const choice = chosenType(`${owner}.`, name, choiceTypePaths);
    if (choice !== undefined) return choice;
    if (owner.includes('.')) break;
  }
  // Every element may have an id; one of its own is no content.
  return name === 'id' && at.includes('.') ? 'id' : undefined;
}

const structural: ReadonlySet<string> = new Set(['BackboneElement', 'Element']);

/** `valueQuantity` → `Quantity`, where the element may have this type. */
function chosenType(
  prefix: string,
  name: string,
  choices: Model['choiceTypePaths'],
): string | undefined {
  for (const match of name.matchAll(/[A-Z]/g)) {
    const type = name.slice(match.index);
    if (choices[prefix + name.slice(0, match.index)]?.includes(type)) return type;
  }
  return undefined;
}
