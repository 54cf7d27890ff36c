/**
 * The simulated NHS side on one HTTP server: PDS, SDS, the Spine proxy and the practices behind it.
 * It refuses what the real ones refuse and says why; what goes wrong beyond that is switched on for
 * one patient at a time, by `set` or over `PUT /_sim/patients/{nhs}/scenario` from this machine.
 */
import type { ServerOptions } from 'node:https';
import { silent } from '../events.ts';
import type { Emit } from '../events.ts';
import { londonDate } from '../gp/london-date.ts';
import { answerCareRecord, careRecordInteraction, loadViews } from './care-record.ts';
import type { Views } from './care-record.ts';
import { createMemory } from './asked.ts';
import type { AskedRequest } from './asked.ts';
import { answerControl } from './control.ts';
import { answerDocuments, documentsPatient, isDocuments, loadDocuments } from './documents.ts';
import type { Shelves } from './documents.ts';
import { type Consumer, loadWorld } from './facts.ts';
import type { Practice, World } from './facts.ts';
import { answerGateway } from './gateway.ts';
import { serve } from './http.ts';
import type { Answer, Request } from './http.ts';
import { type Application, createAuthorisation } from './oauth.ts';
import { answerPds } from './pds.ts';
import { answerProvider } from './provider.ts';
import { createSwitchboard, readScenario } from './scenarios.ts';
import type { Scenario, Switchboard } from './scenarios.ts';
import { answerSds } from './sds.ts';
import { passProxy, proxyFailure } from './spine-proxy.ts';
import { spoilWire } from './wire.ts';

export interface GpSideOptions {
  /** Folder with patients.yaml and records, or with bare Bundles. */
  patients: string;
  emit?: Emit;
  /** Organisations that may ask, besides those of the folder. */
  consumers?: readonly Consumer[];
  /** Scenarios at the start, by NHS number; they replace those of patients.yaml. */
  faults?: Readonly<Record<string, Scenario | Scenario['name']>>;
  /**
   * Applications registered with PDS, which then wants a token of theirs, the API key SDS asks for,
   * and the access token the gateway asks for; open unless told.
   */
  credentials?: {
    applications?: readonly Application[];
    sdsApiKey?: string;
    gatewayToken?: string;
  };
  /** How the simulator is addressed; `http` unless told. */
  scheme?: 'http' | 'https';
  now?: () => Date;
}

export interface GpSimulatorOptions extends GpSideOptions {
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  tls?: ServerOptions;
}

/** The simulated systems without a server: what stands behind the simulator's port. */
export interface GpSide {
  world: World;
  /** The newest requests, oldest first. */
  asked: AskedRequest[];
  /** Switch a scenario on for a patient; undefined switches it off. */
  set(nhsNumber: string, scenario: Scenario | Scenario['name'] | undefined): void;
  /** Answer one request; what the network does to the answer is up to the caller. */
  answer(request: Request): Answer;
}

export interface GpSimulator extends Omit<GpSide, 'answer'> {
  url: string;
  port: number;
  /** Base URLs to configure: PDS and SDS FHIR R4, and what precedes `/https://provider…`. */
  pds: string;
  sds: string;
  ssp: string;
  /** Base address of the Clinical Data Gateway. */
  cdg: string;
  /** The token endpoint. */
  token: string;
  close(): Promise<void>;
}

const bases = {
  pds: '/personal-demographics/FHIR/R4',
  sds: '/spine-directory/FHIR/R4',
  ssp: '/ssp',
  cdg: '/clinical-data-gateway',
  oauth: '/oauth2',
};

/**
 * The simulated systems, to be called directly.
 * @throws Error where the folder or a scenario cannot be used
 */
export function createGpSide(options: GpSideOptions): GpSide {
  const { emit = silent, now = () => new Date() } = options;
  const world = loadWorld(options.patients);
  world.consumers.push(...(options.consumers ?? []));
  const switchboard = createSwitchboard();
  for (const { nhsNumber, scenario } of world.patients.values()) {
    if (scenario !== undefined) switchboard.set(nhsNumber, readScenario(scenario));
  }
  for (const [nhsNumber, scenario] of Object.entries(options.faults ?? {})) {
    switchboard.set(nhsNumber, readScenario(scenario));
  }
  const { asked, note } = createMemory(emit);
  const shelf = {
    shelves: loadDocuments(options.patients, world),
    views: loadViews(options.patients, world),
  };
  const handlers = {
    ...accessHandlers(world, switchboard, options, now),
    ...spineHandlers(world, switchboard, options.credentials?.sdsApiKey, now, shelf),
    cdg: gatewayHandler(world, switchboard, options.credentials?.gatewayToken, now),
    unknown: () => nothingHere,
  };

  return {
    world,
    asked,
    set: (nhsNumber, scenario) =>
      switchboard.set(nhsNumber, scenario === undefined ? undefined : readScenario(scenario)),
    answer(request) {
      if (request.target.startsWith('/_sim/')) return answerControl(request, world, switchboard);
      const system = systemOf(request.target);
      const answer = handlers[system](request);
      note(system, request, answer);
      return answer;
    },
  };
}

/**
 * Start the simulator: the simulated systems behind one port.
 * @throws Error where the folder cannot be used or the port is taken
 */
export async function startGpSimulator(options: GpSimulatorOptions): Promise<GpSimulator> {
  const { host = '127.0.0.1', port = 0, tls, emit = silent } = options;
  const { answer, ...side } = createGpSide({
    ...options,
    scheme: tls ? 'https' : 'http',
  });
  const server = await serve({ host, port, ...(tls && { tls }), handle: answer });
  emit('simulator.listening', { host, port: server.port, count: side.world.patients.size });
  return {
    ...side,
    url: server.url,
    port: server.port,
    pds: server.url + bases.pds,
    sds: server.url + bases.sds,
    ssp: server.url + bases.ssp,
    cdg: server.url + bases.cdg,
    token: `${server.url}${bases.oauth}/token`,
    close: server.close,
  };
}

/** PDS and the token endpoint share the tokens given out. */
function accessHandlers(
  world: World,
  switchboard: Switchboard,
  { credentials, scheme = 'http' }: GpSideOptions,
  now: () => Date,
): { pds: (request: Request) => Answer; oauth: (request: Request) => Answer } {
  const { applications } = credentials ?? {};
  const authorisation = createAuthorisation(applications ?? [], () => now().getTime());
  return {
    pds(request) {
      const path = request.target.slice(bases.pds.length);
      const scenario = switchboard.take(path.slice('/Patient/'.length), 'pds');
      const admits = applications && authorisation.admits;
      const context = { scenario, admits, today: londonDate(now().getTime()) };
      return spoilWire(answerPds(request, path, world, context), scenario);
    },
    oauth(request) {
      if (request.target !== `${bases.oauth}/token`) return nothingHere;
      return authorisation.answer(request, `${scheme}://${request.headers.host}${request.target}`);
    },
  };
}

/** SDS and the Spine proxy share the addresses SDS has given out. */
function spineHandlers(
  world: World,
  switchboard: Switchboard,
  apiKey: string | undefined,
  now: () => Date,
  { shelves, views }: { shelves: Shelves; views: Views },
): { sds: (request: Request) => Answer; ssp: (request: Request) => Answer } {
  const moves = new Map<string, number>();
  const addressOf = ({ ods, address }: Practice): string => {
    const count = moves.get(ods);
    return count === undefined ? address : `${address.replace(/\/$/, '')}/v${count}`;
  };
  return {
    sds(request) {
      let scenario: Scenario | undefined;
      const answer = answerSds(request, request.target.slice(bases.sds.length), world, {
        apiKey,
        base: bases.sds,
        scenarioFor(ods) {
          scenario = takeForPractice(world, switchboard, ods);
          return scenario?.name;
        },
        addressOf(practice, moved) {
          if (moved) moves.set(practice.ods, (moves.get(practice.ods) ?? 0) + 1);
          return addressOf(practice);
        },
      });
      return spoilWire(answer, scenario);
    },
    ssp(request) {
      const target = request.target.slice(bases.ssp.length + 1);
      const passed = passProxy(request, target, world, addressOf);
      if ('status' in passed) return passed;
      const { practice, consumer, claims, path, interaction } = passed;
      const documents = isDocuments(interaction);
      const nhsNumber = documents
        ? documentsPatient(path, world, shelves)
        : nhsNumberIn(request.body);
      const atProxy = switchboard.take(nhsNumber, 'proxy');
      const failure = atProxy && proxyFailure(atProxy.name, passed, target);
      if (failure) return failure;
      const scenario = switchboard.take(nhsNumber, documents ? 'documents' : 'provider');
      const address = addressOf(practice);
      const context = { world, practice, address, consumer, claims, scenario, now: now() };
      const answer = documents
        ? answerDocuments(request, path, { ...context, shelves })
        : interaction === careRecordInteraction
          ? answerCareRecord(request, path, { ...context, views })
          : answerProvider(request, path, context);
      return spoilWire(answer, atProxy ?? scenario);
    },
  };
}

/** The gateway asks the practices itself; what is switched on there shows through it. */
function gatewayHandler(
  world: World,
  switchboard: Switchboard,
  token: string | undefined,
  now: () => Date,
): (request: Request) => Answer {
  return (request) => {
    const nhsNumber = nhsNumberIn(request.body);
    const scenario = switchboard.take(nhsNumber, 'gateway');
    const atProvider = scenario ? undefined : switchboard.take(nhsNumber, 'provider');
    const path = request.target.slice(bases.cdg.length);
    const context = { world, token, scenario, atProvider, now: now() };
    return spoilWire(answerGateway(request, path, context), scenario);
  };
}

/** SDS is asked about practices: it shows what is switched on for any patient registered there. */
function takeForPractice(
  world: World,
  switchboard: Switchboard,
  ods: string,
): Scenario | undefined {
  for (const { nhsNumber, practices } of world.patients.values()) {
    if (!practices.some((practice) => practice.ods === ods)) continue;
    const scenario = switchboard.take(nhsNumber, 'sds');
    if (scenario) return scenario;
  }
  return undefined;
}

/** The NHS number a request is about, as far as it can be read; only to find its scenario. */
function nhsNumberIn(body: Buffer): string {
  return /"patientNHSNumber"[^]*?"value"\s*:\s*"(\d{10})"/.exec(body.toString('utf8'))?.[1] ?? '';
}

function systemOf(target: string): AskedRequest['system'] {
  for (const system of ['pds', 'sds', 'ssp', 'cdg', 'oauth'] as const) {
    if (target.startsWith(`${bases[system]}/`)) return system;
  }
  return 'unknown';
}

const nothingHere: Answer = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: `The simulator answers below ${Object.values(bases).join(', ')} and /_sim.\n`,
};
