/**
 * What can be made to go wrong, for one patient at a time and while the simulator runs. The table
 * is the list a user chooses from; how each looks on the wire stands with the system that shows it.
 */
import { z } from 'zod';
import { providerErrors } from './outcome.ts';
import type { ProviderCode } from './outcome.ts';

/**
 * The systems a request passes: PDS, SDS, the Spine proxy, the practice's system, the practice's
 * documents, and the Clinical Data Gateway, which stands for the first three.
 */
const places = ['pds', 'sds', 'proxy', 'provider', 'documents', 'gateway'] as const;
export type Place = (typeof places)[number];

const named = {
  // any place, `at` says which; the practice's system unless told
  slow: ['any', 'answers after ms (3000 unless told)'],
  hang: ['any', 'never answers'],
  reset: ['any', 'resets the connection'],
  cutShort: ['any', 'ends the connection inside the body'],
  truncatedGzip: ['any', 'sends half of the gzip stream'],
  notJson502: ['any', 'answers 502 with HTML'],
  notJson: ['any', 'answers 200 with text that is no JSON'],
  empty: ['any', 'answers 200 without a body'],
  oversize: ['any', 'answers 200 with a body of bytes (25,000,000 unless told)'],
  unavailable: ['any', 'answers 503'],

  superseded: ['pds', 'answers with another, newer NHS number'],
  restricted: ['pds', 'says restricted, without address or practice'],
  deceased: ['pds', 'says the patient has died'],
  notFound: ['pds', 'answers 404 RESOURCE_NOT_FOUND'],
  invalidated: ['pds', 'answers 404 INVALIDATED_RESOURCE'],
  noPractice: ['pds', 'names no general practitioner'],
  futurePractice: ['pds', 'names a practice whose period is still to come'],
  openPractices: ['pds', 'names every practice as a current one'],
  deathNotice: ['pds', 'says the patient has died, without a date'],
  expiredPractice: ['pds', 'names a practice whose period has ended'],
  tooManyRequests: ['pds', 'answers 429, with Retry-After where ms is given'],
  tokenRefused: ['pds', 'answers 401, as to a token that has expired'],
  pdsError: ['pds', 'answers 500'],
  pdsTimeout: ['pds', 'answers 408 UNABLE_TO_CALL_SERVICE'],
  pdsDenied: ['pds', 'answers 403 ACCESS_DENIED'],
  otherDemographics: ['pds', 'states another family name and birth date'],

  noEndpoint: ['sds', 'finds no endpoint: the practice is not enabled'],
  twoEndpoints: ['sds', 'finds two endpoints'],
  noAddress: ['sds', 'finds an endpoint without an address'],
  noDevice: ['sds', 'finds no device, so no ASID'],
  twoDevices: ['sds', 'finds two devices'],
  addressMoves: ['sds', 'gives a new address with each look-up; only the newest is valid'],
  sdsError: ['sds', 'answers 500'],
  sdsUpstream: ['sds', 'answers 502'],
  sdsTimeout: ['sds', 'answers 504'],

  senderNotRegistered: ['proxy', 'answers 403 ASID_CHECK_FAILED_MESSAGESENDER'],
  receiverNotRegistered: ['proxy', 'answers 403 PARTYKEY_INTERACTION_CHECK_FAILED'],
  notFirstOfType: ['proxy', 'answers 403 FOT_CHECK_FAILED'],
  addressVaries: ['proxy', 'answers 400 ENDPOINT_VARIES_FROM_TARGETURL'],
  methodNotAllowed: ['proxy', 'answers 405, fatal, in its other coding system'],
  unsupportedMediaType: ['proxy', 'answers 415'],
  unreachable: ['proxy', 'answers 502 ERROR_COMMUNICATING_TO_ENDPOINT_URL'],
  proxyTimeout: ['proxy', 'answers 504'],
  noCertificate: ['proxy', 'answers 496, as to a caller without a client certificate'],

  nothingRecorded: ['provider', 'answers with empty Lists'],
  confidentialItems: ['provider', 'marks every List with confidential-items'],
  dataInTransit: ['provider', 'marks every List with data-in-transit'],
  dataAwaitingFiling: ['provider', 'marks every List with data-awaiting-filing'],
  areasDisabled: ['provider', 'has every area but allergies switched off'],
  areasUnknown: ['provider', 'knows no area but allergies'],
  areaSilent: [
    'provider',
    'leaves out the Lists of all areas but allergies and medication without saying why',
  ],
  disabledAndConfidential: [
    'provider',
    'has problems switched off, and both disabled and confidential items in other Lists',
  ],
  resolvedTwice: ['provider', 'sends ended allergies contained and as resources of their own'],
  danglingReference: ['provider', 'lists resources that are not in the Bundle'],
  repeatedId: ['provider', 'repeats resources'],
  listsWithoutId: ['provider', 'sends Lists without an id'],
  otherPatient: ['provider', 'answers with the record of someone else'],
  otherName: ['provider', 'states another family name and birth date than PDS'],
  large: ['provider', 'sends a record of bytes (3,000,000 unless told)'],
  htmlBroken: ['provider', 'sends HTML that is not well-formed'],

  documentsDisabled: ['documents', 'answers 403 ACCESS DENIED: documents are not enabled'],

  gatewayDenied: ['gateway', 'answers 401'],
  gatewayNoProvider: ['gateway', 'answers 404: PDS names no current practice'],
  gatewayNoAsid: ['gateway', 'answers 404: SDS has no ASID for the practice'],
  gatewayNoEndpoint: ['gateway', 'answers 404: SDS has no endpoint for the practice'],
  gatewayPdsFails: ['gateway', 'answers 502: PDS is not available'],
  gatewaySdsFails: ['gateway', 'answers 502: SDS did not answer in time'],
} as const satisfies Record<string, readonly [Place | 'any', string]>;

export type ScenarioName = keyof typeof named | ProviderCode;

/** One scenario with its figures. */
export interface Scenario {
  name: ScenarioName;
  /** Where, for the scenarios that can happen at any place. */
  at?: Place;
  /** Milliseconds, for `slow` and `tooManyRequests`. */
  ms?: number;
  /** Size, for `oversize` and `large`. */
  bytes?: number;
  /** Only the first so many requests at that place; then all is well. */
  first?: number;
}

/** Every scenario: its name, where it happens and what it does. */
export const scenarios: ReadonlyMap<string, { at: Place | 'any'; says: string }> = new Map<
  string,
  { at: Place | 'any'; says: string }
>([
  ...Object.entries(named).map(([name, [at, says]]) => entry(name, at, says)),
  ...Object.entries(providerErrors).map(([name, [status]]) =>
    entry(name, 'provider', `answers ${status} ${name}`),
  ),
]);

const schema = z.strictObject({
  name: z.string().refine((name): name is ScenarioName => scenarios.has(name), {
    error: 'there is no such scenario; GET /_sim/scenarios lists them',
  }),
  at: z.enum(places).optional(),
  ms: z.int().min(0).max(600_000).optional(),
  bytes: z.int().min(1).max(100_000_000).optional(),
  first: z.int().min(1).optional(),
});

/**
 * A scenario from its name alone or from its parts.
 * @throws Error that says what is wrong with it
 */
export function readScenario(given: unknown): Scenario {
  const read = schema.safeParse(typeof given === 'string' ? { name: given } : given);
  if (!read.success) throw new Error(`The scenario cannot be used: ${z.prettifyError(read.error)}`);
  return read.data;
}

/** Where a scenario happens. */
function placeOf(scenario: Scenario): Place {
  const place = scenarios.get(scenario.name)?.at ?? 'any';
  return place === 'any' ? (scenario.at ?? 'provider') : place;
}

/** Which scenario is on for which patient. */
export interface Switchboard {
  /** Switch a scenario on; undefined switches it off. */
  set(nhsNumber: string, scenario: Scenario | undefined): void;
  get(nhsNumber: string): Scenario | undefined;
  /** The scenario this request meets at this place; counts it where only the first few do. */
  take(nhsNumber: string, place: Place): Scenario | undefined;
}

export function createSwitchboard(): Switchboard {
  const on = new Map<string, { scenario: Scenario; left: number }>();
  return {
    set(nhsNumber, scenario) {
      if (scenario) on.set(nhsNumber, { scenario, left: scenario.first ?? Infinity });
      else on.delete(nhsNumber);
    },
    get: (nhsNumber) => on.get(nhsNumber)?.scenario,
    take(nhsNumber, place) {
      const found = on.get(nhsNumber);
      if (!found || found.left <= 0 || placeOf(found.scenario) !== place) return undefined;
      found.left--;
      return found.scenario;
    },
  };
}

function entry(
  name: string,
  at: Place | 'any',
  says: string,
): [string, { at: Place | 'any'; says: string }] {
  return [name, { at, says }];
}
