/**
 * A query as Gatehouse understands it, read from QBP^Q11 (QPD, RCP) or QRY^A19 (QRD, QRF). Every
 * fault is reported at once, each with its place; `docs/profile.md` is the statement of both.
 */
import type { Fault, FaultLocation } from '../faults.ts';
import { type Asker, type Dataset, datasets as allDatasets } from '../gp/port.ts';
import type { Message } from '../hl7/message.ts';
import { findNhsNumbers, nhsNumberValid } from '../hl7/nhs-number.ts';

/** Where a message without fields for the asker carries user, role, organisation and consent. */
export interface AskerPlaces {
  user: string;
  role: string;
  organisation: string;
  consent: string;
  reason?: string;
  department?: string;
}

export interface Query {
  kind: 'Q11' | 'A19';
  /** Query tag (QPD-2, QRD-4), given back in QAK-1. */
  tag: string;
  nhsNumber?: string;
  datasets: Dataset[];
  /** `YYYY-MM-DD` */
  from?: string;
  to?: string;
  asker?: Asker;
  /** What the hospital believes of the patient, for the cross-check. */
  claimed: { family?: string; birthDate?: string };
}

/** QBP^Q11 names the asker in QPD-7 to QPD-12. */
const qpdAsker: AskerPlaces = {
  user: 'QPD-7',
  role: 'QPD-8',
  organisation: 'QPD-9',
  consent: 'QPD-10',
  reason: 'QPD-11',
  department: 'QPD-12',
};

/** The one NHS number a query or an ADT message is about; two different ones name nobody. */
export function patientOf(message: Message): string | undefined {
  const found = findNhsNumbers(message, ['QPD-3', 'QRD-8', 'PID-3']);
  const numbers = new Set(found.map(({ number }) => number));
  return numbers.size === 1 ? [...numbers][0] : undefined;
}

/** The kind of query a message type is, or undefined when it is none. */
export function queryKind(type: string): Query['kind'] | undefined {
  if (type.startsWith('QBP^Q11')) return 'Q11';
  if (type.startsWith('QRY^A19')) return 'A19';
  return undefined;
}

/**
 * Read a query.
 * @param places where the asker stands in a QRY^A19; QBP^Q11 has its own fields
 * @returns the query as far as it could be read, and what is wrong with it
 */
export function readQuery(
  message: Message,
  kind: Query['kind'],
  places?: AskerPlaces,
): { query: Query; faults: Fault[] } {
  const faults: Fault[] = [];
  const q11 = kind === 'Q11';
  const segment = q11 ? 'QPD' : 'QRD';
  if (message.count(segment) === 0) {
    faults.push({ name: 'segmentMissing', at: [{ segment, sequence: 1 }] });
    return { query: { kind, tag: '', datasets: [], claimed: {} }, faults };
  }
  const at = (field: number) => [{ segment, sequence: 1, field }] satisfies FaultLocation[];
  const get = (path: string) => message.get(path) || undefined;

  const tag = get(q11 ? 'QPD-2' : 'QRD-4');
  if (!tag) faults.push({ name: 'requiredMissing', at: at(q11 ? 2 : 4) });
  if (q11) {
    if (get('QPD-1.1') !== 'GPREC') faults.push({ name: 'tableValue', at: at(1) });
    if (message.count('RCP') === 0) {
      faults.push({ name: 'segmentMissing', at: [{ segment: 'RCP', sequence: 1 }] });
    } else if ((get('RCP-1') ?? 'I') !== 'I') {
      faults.push({ name: 'tableValue', at: [{ segment: 'RCP', sequence: 1, field: 1 }] });
    }
  }

  const numbers = new Set(
    findNhsNumbers(message, [q11 ? 'QPD-3' : 'QRD-8']).map((found) => found.number),
  );
  const [number] = numbers;
  if (numbers.size > 1) faults.push({ name: 'nhsNumbersDiffer', at: at(q11 ? 3 : 8) });
  if (!number) faults.push({ name: 'nhsNumberMissing', at: at(q11 ? 3 : 8) });
  else if (!nhsNumberValid(number)) faults.push({ name: 'nhsNumberInvalid', at: at(q11 ? 3 : 8) });

  const query: Query = {
    kind,
    tag: tag ?? '',
    nhsNumber: number,
    datasets: readDatasets(message, q11 ? 'QPD-4' : 'QRD-9', faults),
    claimed: q11 ? { family: get('QPD-13.1'), birthDate: get('QPD-14')?.slice(0, 8) } : {},
  };
  if (q11) {
    query.from = readDate(get('QPD-5'), at(5), faults);
    query.to = readDate(get('QPD-6'), at(6), faults);
  }
  query.asker = readAsker(message, q11 ? qpdAsker : places, faults);
  return { query, faults };
}

function readDatasets(message: Message, path: string, faults: Fault[]): Dataset[] {
  const found = new Set<Dataset>();
  const [segment = '', field = '0'] = path.split('-');
  for (let i = 1; i <= message.repetitions(path); i++) {
    const code = message.get(`${path}[${i}].1`);
    if (!code) continue;
    if ((allDatasets as readonly string[]).includes(code)) found.add(code as Dataset);
    else {
      const at = [{ segment, sequence: 1, field: Number(field), repetition: i }];
      faults.push({ name: 'tableValue', at });
    }
  }
  // None named means all; the answer keeps the order of the table, not of the query.
  return allDatasets.filter((dataset) => found.size === 0 || found.has(dataset));
}

function readDate(value: string | undefined, at: FaultLocation[], faults: Fault[]) {
  if (!value) return undefined;
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(value) ?? [];
  const date = `${year}-${month}-${day}`;
  if (!year || Number.isNaN(Date.parse(date))) {
    faults.push({ name: 'valueInvalid', at });
    return undefined;
  }
  return date;
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
  const get = (path: string) => message.get(path) || undefined;
  // GP Connect names the user by family and given name; neither is ever made up.
  const user = {
    id: get(`${places.user}.1`),
    family: get(`${places.user}.2`),
    given: get(`${places.user}.3`),
  };
  const role = get(places.role);
  const ods = get(`${places.organisation}.3`) ?? get(`${places.organisation}.10`);
  const consent = get(places.consent);
  const reason = places.reason && get(places.reason);

  const missing: FaultLocation[] = [];
  if (!user.id || !user.family || !user.given) missing.push(locate(places.user));
  if (!role) missing.push(locate(places.role));
  if (!ods) missing.push(locate(places.organisation));
  if (!consent) missing.push(locate(places.consent));
  if (missing.length > 0) faults.push({ name: 'askerMissing', at: missing });
  else if (consent !== 'G' && consent !== 'R' && consent !== 'E') {
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
        localId: get(`${places.user}[2].1`),
        family: user.family,
        given: user.given,
        prefix: get(`${places.user}.6`),
      },
      roleProfile: role,
      organisation: { ods, name: get(`${places.organisation}.1`) ?? ods },
      consent,
      emergencyReason: reason,
      department: places.department && get(places.department),
    };
  }
  return undefined;
}

/** `ZAU-4.1` as a location for ERR. */
function locate(place: string): FaultLocation {
  const [, segment = '', field, component] =
    /^(\w{3})[^-]*-(\d+)(?:\[\d+\])?(?:\.(\d+))?/.exec(place) ?? [];
  return {
    segment,
    sequence: 1,
    field: Number(field),
    ...(component ? { component: Number(component) } : {}),
  };
}
