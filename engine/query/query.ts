/**
 * A query as Gatehouse understands it, read by the declaration of its kind. Every fault is reported
 * at once, each with its place; `docs/profile.md` is the statement of each kind.
 */
import type { Fault, FaultLocation } from '../faults.ts';
import type { Asker, Dataset } from '../gp/port.ts';
import type { Message } from '../hl7/message.ts';
import { findNhsNumbers, nhsNumberValid } from '../hl7/nhs-number.ts';
import { type AskerPlaces, type ClaimPlaces, type QueryKind, standardSubjects } from './kinds.ts';

export interface Query {
  kind: QueryKind;
  nhsNumber?: string;
  datasets: Dataset[];
  /** `YYYY-MM-DD` */
  from?: string;
  to?: string;
  asker?: Asker;
  /** What the hospital believes of the patient, for the cross-check. */
  claimed: { family?: string; given?: string; gender?: string; birthDate?: string };
  /** How many clinical items it wants in one answer (RCP-2, unit RD). */
  quantity?: number;
  /** The pointer of the answer it continues (DSC-1). */
  pointer?: string;
}

/** What stands at a place. The null value of HL7 (`""`) and blanks name nobody and say nothing. */
function statedAt(message: Message, path: string | undefined): string | undefined {
  const value = path && message.get(path);
  return !value || value === '""' || value.trim() === '' ? undefined : value;
}

/** The one NHS number a query or an ADT message is about; two different ones name nobody. */
export function patientOf(message: Message): string | undefined {
  const found = findNhsNumbers(message, ['QPD-3', 'QRD-8', 'PID-3']);
  const numbers = new Set(found.map(({ number }) => number));
  return numbers.size === 1 ? [...numbers][0] : undefined;
}

/**
 * Read a query.
 * @param places where the asker stands in a kind that has no fields for it
 * @returns the query as far as it could be read, and what is wrong with it
 */
export function readQuery(
  message: Message,
  kind: QueryKind,
  places?: AskerPlaces,
): { query: Query; faults: Fault[] } {
  const faults: Fault[] = [];
  const query: Query = { kind, datasets: [], claimed: {} };
  const [definition, ...others] = kind.segments;
  if (message.count(definition) === 0) {
    faults.push({ name: 'segmentMissing', at: [{ segment: definition, sequence: 1 }] });
    return { query, faults };
  }
  const get = (path: string | undefined) => statedAt(message, path);
  const wrong = (name: Fault['name'], place: string) => faults.push({ name, at: [locate(place)] });

  if (!get(kind.tag)) wrong('requiredMissing', kind.tag);
  if (definition === 'QPD') {
    if (!get('QPD-1.1')) wrong('requiredMissing', 'QPD-1');
    else if (kind.name && get('QPD-1.1') !== kind.name) wrong('tableValue', 'QPD-1');
  }
  for (const segment of others) {
    if (message.count(segment) > 0) continue;
    faults.push({ name: 'segmentMissing', at: [{ segment, sequence: 1 }] });
  }
  if ((get('RCP-1') ?? 'I') !== 'I') wrong('tableValue', 'RCP-1');

  const [place] = kind.patient;
  const numbers = new Set(findNhsNumbers(message, kind.patient).map((found) => found.number));
  const [number] = numbers;
  if (numbers.size > 1) wrong('nhsNumbersDiffer', place);
  if (!number) wrong('nhsNumberMissing', place);
  else if (!nhsNumberValid(number)) wrong('nhsNumberInvalid', place);

  query.nhsNumber = number;
  query.datasets = readDatasets(message, kind, faults);
  query.from = readDate(get(kind.from), kind.from, faults);
  query.to = readDate(get(kind.to), kind.to, faults);
  if (kind.claimed) query.claimed = readClaims(kind.claimed, get);
  if (kind.quantity) query.quantity = readQuantity(message, kind.quantity, faults);
  query.pointer = get('DSC-1');
  query.asker = readAsker(message, requesterIn(message, kind.asker ?? places), faults);
  return { query, faults };
}

function readClaims(
  places: ClaimPlaces,
  get: (path: string | undefined) => string | undefined,
): Query['claimed'] {
  const family = get(places.family);
  // Where a CX stands in QRD-8 for an XCN, a check digit stands in the place of the name.
  const isNamed = family !== undefined && /\p{L}/u.test(family);
  return {
    ...(isNamed && { family, given: get(places.given) }),
    gender: get(places.gender),
    birthDate: get(places.birthDate)?.slice(0, 8),
  };
}

/** The datasets named, in the order of the answer; none named means all the kind offers. */
function readDatasets(message: Message, kind: QueryKind, faults: Fault[]): Dataset[] {
  const { datasets: path, offers } = kind;
  const found = new Set<string>();
  for (let i = 1; path && i <= message.repetitions(path); i++) {
    const code = message.get(`${path}[${i}].1`);
    if (!code) continue;
    // Table 0048 belongs to QRD-9 alone.
    const named = (path.startsWith('QRD') && standardSubjects.get(code)) || [code];
    const offered = named.filter((one) => (offers as readonly string[]).includes(one));
    for (const one of offered) found.add(one);
    if (offered.length === 0) {
      faults.push({ name: 'tableValue', at: [{ ...locate(path), repetition: i }] });
    }
  }
  return offers.filter((dataset) => found.size === 0 || found.has(dataset));
}

function readDate(value: string | undefined, place = '', faults: Fault[]): string | undefined {
  if (!value) return undefined;
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(value) ?? [];
  const date = `${year}-${month}-${day}`;
  const instant = Date.parse(date);
  // 31 February is read as 2 March.
  if (!year || Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 10) !== date) {
    faults.push({ name: 'valueInvalid', at: [locate(place)] });
    return undefined;
  }
  return date;
}

/** CQ: a whole number of records (RD, table 0126). Other units would cut items in two. */
function readQuantity(message: Message, path: string, faults: Fault[]): number | undefined {
  const quantity = message.get(`${path}.1`);
  const unit = message.get(`${path}.2`) || 'RD';
  if (unit !== 'RD') faults.push({ name: 'tableValue', at: [locate(`${path}.2`)] });
  if (!quantity) return undefined;
  if (/^[1-9]\d{0,8}$/.test(quantity)) return Number(quantity);
  faults.push({ name: 'valueInvalid', at: [locate(`${path}.1`)] });
  return undefined;
}

/**
 * Of several providers (PRD) the one who refers asks (RP, table 0286), wherever it stands: nobody
 * asks in the name of another.
 */
function requesterIn(message: Message, places: AskerPlaces | undefined): AskerPlaces | undefined {
  const count = message.count('PRD');
  if (!places || count < 2) return places;
  const rolesOf = (n: number) =>
    Array.from({ length: message.repetitions(`PRD[${n}]-1`) }, (_, i) =>
      message.get(`PRD[${n}]-1[${i + 1}].1`),
    );
  const n = Array.from({ length: count }, (_, i) => i + 1).find((one) =>
    rolesOf(one).includes('RP'),
  );
  if (n === undefined) return undefined;
  const own = Object.entries(places).map(([part, place]: [string, string | undefined]) => [
    part,
    place?.replace(/^PRD-/, `PRD[${n}]-`),
  ]);
  return Object.fromEntries(own) as AskerPlaces;
}

function readAsker(
  message: Message,
  places: AskerPlaces | undefined,
  faults: Fault[],
): Asker | undefined {
  if (!places) {
    faults.push({ name: 'askerMissing' });
    return undefined;
  }
  const get = (path: string | undefined) => statedAt(message, path);
  const { user: place, name } = places;
  // GP Connect names the user by family and given name; neither is ever made up.
  const user = {
    id: get(`${place}.1`),
    family: get(name ? `${name}.1` : `${place}.2`),
    given: get(name ? `${name}.2` : `${place}.3`),
  };
  const role = get(places.role);
  // A whole field is an XON; a component of one is the code itself.
  const { organisation } = places;
  const bare = isComponent(organisation);
  const ods = bare ? get(organisation) : (get(`${organisation}.3`) ?? get(`${organisation}.10`));
  const consent = get(places.consent);
  const reason = get(places.reason);

  const names = name ? [`${name}.1`, `${name}.2`] : [`${place}.2`, `${place}.3`];
  const wanted: [at: string, ...parts: string[]][] = [
    [place, `${place}.1`, ...(name ? [] : names)],
    ...(name ? [[name, ...names] as [string, ...string[]]] : []),
    [places.role, places.role],
    [organisation, bare ? organisation : `${organisation}.3`],
    [places.consent, places.consent],
  ];
  const isThere = (part: string) => (part === `${organisation}.3` ? ods : get(part)) !== undefined;
  const missing = wanted
    .map(([at, ...parts]) => ({ at, parts: parts.filter((part) => !isThere(part)) }))
    .filter(({ parts }) => parts.length > 0);
  if (missing.length > 0) {
    const detail = `nothing at ${missing.flatMap(({ parts }) => parts).join(', ')}`;
    faults.push({ name: 'askerMissing', at: missing.map(({ at }) => locate(at)), detail });
  } else if (consent !== 'G' && consent !== 'R' && consent !== 'E') {
    faults.push({ name: 'tableValue', at: [locate(places.consent)] });
  } else if (consent === 'E' && !reason) {
    faults.push({
      name: 'emergencyReasonMissing',
      at: [locate(places.reason ?? places.consent)],
    });
  } else if (user.id && user.family && user.given && role && ods) {
    return {
      user: {
        id: user.id,
        // Only a whole field can repeat: a component holds one identifier.
        localId: /-\d+$/.test(place) ? get(`${place}[2].1`) : undefined,
        family: user.family,
        given: user.given,
        prefix: get(name ? `${name}.5` : `${place}.6`),
      },
      roleProfile: role,
      organisation: { ods, name: (bare ? undefined : get(`${organisation}.1`)) ?? ods },
      consent,
      emergencyReason: reason,
      department: get(places.department),
    };
  }
  return undefined;
}

/** `ZPI-2.1`, but not `ZPI-2` or `ZPI-2[1]`. */
const isComponent = (place: string) => /-\d+(\[\d+\])?\./.test(place);

/** `ZAU-4.1` as a location for ERR. */
function locate(place: string): FaultLocation {
  const [, segment = '', sequence = '1', field, component] =
    /^(\w{3})\w*(?:\[(\d+)\])?-(\d+)(?:\[\d+\])?(?:\.(\d+))?/.exec(place) ?? [];
  return {
    segment,
    sequence: Number(sequence),
    field: Number(field),
    ...(component ? { component: Number(component) } : {}),
  };
}
