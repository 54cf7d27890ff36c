/** `gatehouse sim gp|hospital`: the systems around the engine, simulated. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { consumersOf } from '../../engine/cases/consumers.ts';
import { loadSite } from '../../engine/config/site.ts';
import { createEvents } from '../../engine/log.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { type HospitalMessage, buildAdt } from '../../engine/simulator/hospital-messages.ts';
import { queryBuilders, usualAsker } from '../../engine/simulator/hospital-queries.ts';
import { createHospital } from '../../engine/simulator/hospital.ts';
import { type Application, readJwks } from '../../engine/simulator/oauth.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { type CaseScenario, readScenarioLine } from '../../engine/cases/scenario.ts';
import { exits } from './exits.ts';
import { target } from './mllp.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print, say } from './output.ts';
import { ownFolder } from './own-folder.ts';
import { siteFolder } from './site-folder.ts';
import { stopped } from './stopped.ts';
import { portOf, whole } from './values.ts';
import { watchFolders } from './watch-folders.ts';

interface GpOptions {
  site?: string;
  port: string;
  mllpPort: string;
  patients?: string;
  scenario?: string[];
  application?: string[];
  sdsApikey?: string;
  gatewayToken?: string;
}

/** Simulate the GP side until stopped. */
export async function gp(options: GpOptions): Promise<number> {
  const root = siteFolder(options.site);
  const patients = options.patients
    ? resolve(options.patients)
    : join(ownFolder(), 'fixtures', 'patients');
  const scenarios = (options.scenario ?? []).map(scenarioOf);
  const credentials = {
    applications: options.application?.map(applicationOf),
    sdsApiKey: options.sdsApikey,
    gatewayToken: options.gatewayToken,
  };
  const { emit } = createEvents();
  const [port, mllpPort] = [portOf(options.port), portOf(options.mllpPort)];
  const simulator = await startGpSimulator({ patients, port, credentials, emit });
  // Who asks by way of the site is registered, as it would be in the Spine; so is who is added later.
  const { consumers } = simulator.world;
  const register = () => {
    simulator.world.consumers = [...consumers, ...consumersOf(loadSite(root).channels)];
  };
  register();
  const unwatch = watchFolders([join(root, 'channels')], register);
  const legacy = await startMllpGp({ patients, port: mllpPort, emit });
  for (const { at, nhsNumber, scenario } of scenarios) {
    if (at === 'mllp') legacy.set(nhsNumber, scenario);
    else simulator.set(nhsNumber, scenario);
  }
  const asked = stopped();
  if (options.application) say(`token endpoint ${simulator.token}`);
  say(`PDS ${simulator.pds}\nSDS ${simulator.sds}\nSpine proxy ${simulator.ssp}`);
  say(`Clinical Data Gateway ${simulator.cdg}`);
  say(`GP system that speaks HL7 v2: 127.0.0.1:${legacy.port}`);
  await asked;
  unwatch();
  await Promise.all([simulator.close(), legacy.close()]);
  return exits.ok;
}

/** `KEY=FILE`: an application's API key and the file of its public keys. */
function applicationOf(text: string): Application {
  const [, apiKey, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const next = 'write it as KEY=jwks.json, with the keys as they would be registered';
  if (apiKey === undefined || file === undefined) {
    throw new CommandError('an application needs an API key and a file', next, 'valueNotAllowed');
  }
  try {
    return { apiKey, keys: readJwks(readFileSync(file, 'utf8')) };
  } catch {
    throw new CommandError(`${file} holds no JWK set`, next, 'inputUnreadable');
  }
}

/** `9465701459=slow:3000`, or as a case has it: `9465701459 slow at=pds ms=3000`. */
function scenarioOf(text: string): CaseScenario {
  const read = readScenarioLine(text.replace(/^(\d{10})=/, '$1 ').replace(/:(\d+)$/, ' ms=$1'));
  if ('says' in read)
    throw new CommandError(read.says, 'write it as 9465701459=slow:3000', 'valueNotAllowed');
  return read;
}

interface HospitalOptions {
  to: string;
  count: string;
  rate: string;
  connections: string;
  nhs: string;
  type: string;
  output: Form;
}

/** Send messages at a rate and tell what was answered how fast. @returns 6 where one got no answer */
export async function hospital(options: HospitalOptions): Promise<number> {
  const { host, port } = target(options.to);
  const prefix = Date.now().toString(36).toUpperCase();
  const simulated = createHospital({ host, port });
  const figures = await simulated.run({
    count: whole(options.count),
    rate: whole(options.rate),
    connections: whole(options.connections),
    message: (number) => build(options.type, options.nhs, `${prefix}${number}`),
  });
  simulated.close();
  printOne(options.output, 'figures', figures, () => {
    const { answers, failed, perSecond, latency } = figures;
    for (const [code, count] of Object.entries(answers)) print(`${code} ${count}`);
    print(`no answer ${failed}`);
    print(
      `${perSecond.toFixed(1)}/s, p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`,
    );
  });
  return figures.failed > 0 ? exits.findings : exits.ok;
}

function build(type: string, nhsNumber: string, controlId: string): HospitalMessage {
  const asker = usualAsker;
  const query = queryBuilders[type]?.({ controlId, nhsNumber, asker });
  if (query) return query;
  const event = /^ADT\^(A\d\d)$/.exec(type)?.[1];
  if (!event)
    throw new CommandError(
      `the hospital sends no ${type}`,
      `${Object.keys(queryBuilders).join(', ')} or ADT^A01`,
      'valueNotAllowed',
    );
  const patient = {
    nhsNumber,
    mrn: '700001',
    family: 'Example',
    given: 'Robin',
    birthDate: '19800101',
    sex: '9' as const,
    practice: { ods: 'Z99901', name: 'Willowbeck Surgery' },
  };
  return buildAdt(event as Parameters<typeof buildAdt>[0], patient, { controlId });
}
