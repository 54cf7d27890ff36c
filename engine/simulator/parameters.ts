/**
 * Checks the Parameters of `$gpc.getstructuredrecord` as a strict provider does: GP Connect 1.6,
 * "Retrieve a patient's structured record". An unknown parameter is no error: it is answered with
 * a warning inside the Bundle, so that consumers and providers of different versions can talk.
 */
import { areas, refuseCombination } from './areas.ts';
import type { Area, AreaDefinition, Asked, Filters, PartKind, Period } from './areas.ts';
import { isNhsNumber } from './facts.ts';
import type { Refusal } from './outcome.ts';

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: Refusal['code'], why: string) {
    super(why);
    this.refusal = { code, why };
  }
}

/**
 * What a request asks for, or why it is refused.
 * @param body the request body
 * @param today `YYYY-MM-DD` at the practice
 */
export function checkParameters(body: Buffer, today: string): Asked | Refusal {
  try {
    return read(body, today);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

function read(body: Buffer, today: string): Asked {
  const list = parametersOf(body);
  const asked: Asked = { nhsNumber: nhsNumberOf(list), areas: new Map(), unknown: [] };
  for (const parameter of list) {
    const name = nameOf(parameter);
    if (name === 'patientNHSNumber') continue;
    if (!isArea(name)) {
      asked.unknown.push(name);
      continue;
    }
    if (asked.areas.has(name)) throw new Refused('INVALID_RESOURCE', `${name} is repeated`);
    asked.areas.set(name, filtersOf(name, parameter, today, asked.unknown));
  }
  const refusal = refuseCombination(asked);
  if (refusal) throw new Refused(refusal.code, refusal.why);
  return asked;
}

function parametersOf(body: Buffer): Record<string, unknown>[] {
  let resource: unknown;
  try {
    resource = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refused('INVALID_RESOURCE', 'The body is not JSON');
  }
  if (!isObject(resource) || resource.resourceType !== 'Parameters') {
    throw new Refused('INVALID_RESOURCE', 'The body is not a Parameters resource');
  }
  const { parameter } = resource;
  if (!Array.isArray(parameter) || !parameter.every(isObject)) {
    throw new Refused('INVALID_RESOURCE', 'Parameters.parameter is missing or malformed');
  }
  return parameter;
}

function nhsNumberOf(list: Record<string, unknown>[]): string {
  const found = list.filter((parameter) => parameter.name === 'patientNHSNumber');
  const [first] = found;
  if (!first) throw new Refused('INVALID_PARAMETER', 'patientNHSNumber is missing');
  if (found.length > 1) throw new Refused('INVALID_RESOURCE', 'patientNHSNumber is repeated');
  const identifier = first.valueIdentifier;
  if (!isObject(identifier)) {
    throw new Refused('INVALID_PARAMETER', 'patientNHSNumber holds no valueIdentifier');
  }
  if (identifier.system !== 'https://fhir.nhs.uk/Id/nhs-number') {
    throw new Refused('INVALID_IDENTIFIER_SYSTEM', 'patientNHSNumber.valueIdentifier.system');
  }
  if (typeof identifier.value !== 'string' || !isNhsNumber(identifier.value)) {
    throw new Refused('INVALID_NHS_NUMBER', 'patientNHSNumber.valueIdentifier.value');
  }
  return identifier.value;
}

function filtersOf(
  area: Area,
  parameter: Record<string, unknown>,
  today: string,
  unknown: string[],
): Filters {
  const { parts, required }: AreaDefinition = areas[area];
  const filters: Filters = {};
  const given = parameter.part ?? [];
  if (!Array.isArray(given) || !given.every(isObject)) {
    throw new Refused('INVALID_RESOURCE', `${area}.part is malformed`);
  }
  for (const part of given) {
    const name = nameOf(part);
    const kind = parts[name];
    if (kind === undefined) unknown.push(`${area}.${name}`);
    else if (name in filters) throw new Refused('INVALID_RESOURCE', `${area}.${name} is repeated`);
    else filters[name] = valueOf(kind, part, `${area}.${name}`, today);
  }
  if (required !== undefined && !(required in filters)) {
    throw new Refused('INVALID_PARAMETER', `${area} needs ${area}.${required}`);
  }
  return filters;
}

function valueOf(
  kind: PartKind,
  part: Record<string, unknown>,
  where: string,
  today: string,
): boolean | string | number | Period {
  const wrong = (why: string) => new Refused('INVALID_PARAMETER', `${where} ${why}`);
  switch (kind) {
    case 'boolean':
      if (typeof part.valueBoolean !== 'boolean') throw wrong('needs a valueBoolean');
      return part.valueBoolean;
    case 'status':
      if (part.valueCode !== 'active' && part.valueCode !== 'inactive') {
        throw wrong('needs a valueCode active or inactive');
      }
      return part.valueCode;
    case 'positiveInt': {
      // valueInteger stands in the specification's own predefined searches.
      const number = part.valuePositiveInt ?? part.valueInteger;
      if (typeof number !== 'number' || !Number.isInteger(number) || number < 1) {
        throw wrong('needs a valuePositiveInt');
      }
      return number;
    }
    case 'dateToToday':
    case 'dateFromToday':
      if (!isWholeDate(part.valueDate)) throw wrong('needs a valueDate that is a whole date');
      if (kind === 'dateToToday' && part.valueDate > today) throw wrong('lies in the future');
      if (kind === 'dateFromToday' && part.valueDate < today) throw wrong('lies in the past');
      return part.valueDate;
    case 'period': {
      const period = part.valuePeriod;
      if (!isObject(period)) throw wrong('needs a valuePeriod');
      const { start, end } = period;
      if (start === undefined && end === undefined) throw wrong('needs a start or an end');
      for (const limit of [start, end]) {
        if (limit === undefined) continue;
        if (!isWholeDate(limit)) throw wrong('needs whole dates');
        if (limit > today) throw wrong('lies in the future');
      }
      const whole: Period = period;
      if (whole.start && whole.end && whole.start > whole.end) throw wrong('ends before it starts');
      return whole;
    }
  }
}

function nameOf(parameter: Record<string, unknown>): string {
  if (typeof parameter.name !== 'string' || parameter.name === '') {
    throw new Refused('INVALID_RESOURCE', 'A parameter has no name');
  }
  return parameter.name;
}

function isArea(name: string): name is Area {
  return Object.hasOwn(areas, name);
}

function isWholeDate(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
