/**
 * A practice's GP Connect system behind the Spine proxy: `Patient/$gpc.getstructuredrecord`. It
 * checks the request as strictly as the specification allows and cuts the answer out of the
 * patient's record.
 */
import type { Bundle } from 'fhir/r3.js';
import { londonDate } from '../gp/london-date.ts';
import { areas } from './areas.ts';
import { spoilRecord } from './defects.ts';
import { currentPractice, structuredInteraction } from './facts.ts';
import type { Consumer, Practice, World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json, providerError, providerErrors } from './outcome.ts';
import type { ProviderCode } from './outcome.ts';
import { checkParameters } from './parameters.ts';
import { answerFrom } from './record.ts';
import type { Offer } from './record.ts';
import type { Scenario } from './scenarios.ts';
import { checkClaims } from './token.ts';
import type { Claims } from './token.ts';

export interface ProviderContext {
  world: World;
  practice: Practice;
  /** The practice's service root as SDS gives it now. */
  address: string;
  /** The organisation whose ASID the proxy let through. */
  consumer: Consumer;
  claims: Claims;
  scenario: Scenario | undefined;
  now: Date;
}

/** The interaction each path below the service root belongs to. */
export const interactions: Readonly<Record<string, string>> = {
  'Patient/$gpc.getstructuredrecord': structuredInteraction,
};

/**
 * Answer one request the proxy has passed on.
 * @param path the path below the service root, percent-decoded
 */
export function answerProvider(request: Request, path: string, context: ProviderContext): Answer {
  const { world, practice, scenario, now } = context;
  const interaction = interactions[path];
  if (interaction === undefined) {
    return providerError({ code: 'NOT_IMPLEMENTED', why: 'There is no such operation here' });
  }
  if (request.headers['ssp-interactionid'] !== interaction) {
    const why = 'Ssp-InteractionID is not the interaction of this path';
    return providerError({ code: 'BAD_REQUEST', why });
  }
  const refusal = checkClaims(context.claims, {
    audience: context.address,
    organisation: context.consumer.ods,
    now: Math.floor(now.getTime() / 1000),
  });
  if (refusal) return providerError(refusal);
  const today = londonDate(now.getTime());
  const asked = checkParameters(request.body, today);
  if ('code' in asked) return providerError(asked);
  if (scenario && isProviderCode(scenario.name)) {
    return providerError({ code: scenario.name, why: 'Scenario of the simulator' });
  }
  const patient = world.patients.get(asked.nhsNumber);
  const record = world.records.get(asked.nhsNumber);
  const registered = patient && currentPractice(patient, today) === practice.ods;
  if (!registered || !record || patient.restricted || patient.deceased !== undefined) {
    const why = 'No patient with this NHS number is registered and active here';
    return providerError({ code: 'PATIENT_NOT_FOUND', why });
  }
  const source = scenario?.name === 'otherPatient' ? someoneElse(world, asked.nhsNumber) : record;
  const bundle = answerFrom(source, asked, offerOf(practice, scenario));
  return json(200, scenario ? spoilRecord(bundle, scenario) : bundle);
}

function offerOf(practice: Practice, scenario: Scenario | undefined): Offer {
  const others = Object.keys(areas).filter((area) => area !== 'includeAllergies');
  switch (scenario?.name) {
    case 'areasDisabled':
      return { disabled: others, unknown: [] };
    case 'areasUnknown':
      return { disabled: practice.disabled, unknown: others };
    case 'disabledAndConfidential':
      return { disabled: [...practice.disabled, 'includeProblems'], unknown: [] };
    default:
      return { disabled: practice.disabled, unknown: [] };
  }
}

function someoneElse(world: World, nhsNumber: string): Bundle {
  for (const [number, record] of world.records) if (number !== nhsNumber) return record;
  throw new Error('The scenario otherPatient needs a second record');
}

function isProviderCode(name: string): name is ProviderCode {
  return Object.hasOwn(providerErrors, name);
}
