/**
 * A practice's documents (GP Connect 1.6, Access Document): find the patient, search their documents,
 * read one. The documents of a patient stand in `documents/{nhs}.yaml` of the simulator's folder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { londonDate } from '../gp/london-date.ts';
import { currentPractice, isNhsNumber } from './facts.ts';
import type { World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { json, providerError, providerErrors } from './outcome.ts';
import type { ProviderCode, Refusal } from './outcome.ts';
import type { ProviderContext } from './provider.ts';
import { readOnce } from './read-once.ts';
import { checkClaims } from './token.ts';

const instant = z.iso.datetime({ offset: true });
const documentFacts = z.strictObject({
  id: z.string(),
  type: z.strictObject({ code: z.string(), display: z.string() }).optional(),
  /** The kind of document in words, where it has no code. */
  typeText: z.string().optional(),
  description: z.string(),
  created: instant.optional(),
  indexed: instant,
  /** References of the patient's record: a practitioner, or an organisation. */
  author: z.string().optional(),
  custodian: z.string().optional(),
  setting: z.string().optional(),
  contentType: z.string().default('text/plain'),
  /** Without it only a placeholder is there, and `title` says why. */
  content: z.string().optional(),
  title: z.string().optional(),
  size: z.int().optional(),
});
type DocumentFacts = z.infer<typeof documentFacts>;

/** The documents of each patient, by NHS number. */
export type Shelves = ReadonlyMap<string, readonly DocumentFacts[]>;

/** @throws Error naming the file that cannot be used */
export function loadDocuments(folder: string, world: World): Shelves {
  const shelves = new Map<string, DocumentFacts[]>();
  for (const nhsNumber of world.patients.keys()) {
    const file = join(folder, 'documents', `${nhsNumber}.yaml`);
    if (!existsSync(file)) continue;
    const read = z.array(documentFacts).safeParse(readOnce(file, parse));
    if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
    shelves.set(nhsNumber, read.data);
  }
  return shelves;
}

const prefix = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:';
/** Each interaction and the path it belongs to. */
const paths: readonly [RegExp, string][] = [
  [/^Patient\?/, `${prefix}search:patient-1`],
  [/^Patient\/[^/?]+\/DocumentReference\?/, `${prefix}search:documentreference-1`],
  [/^Binary\/[^/?]+$/, `${prefix}read:binary-1`],
];

export const isDocuments = (interaction: string | undefined): boolean =>
  interaction?.startsWith(prefix) ?? false;

/** The NHS number a request is about, as far as it can be told; only to find its scenario. */
export function documentsPatient(path: string, world: World, shelves: Shelves): string {
  const [, named] = /^Patient\?.*(?:%7C|\|)(\d{10})/i.exec(path) ?? [];
  const [, id] = /^Patient\/([^/?]+)\//.exec(path) ?? [];
  const [, binary] = /^Binary\/(.+)$/.exec(path) ?? [];
  const owner = [...shelves].find(([, shelf]) => shelf.some((one) => binaryOf(one) === binary));
  const read = [...world.records.keys()].find((one) => id !== undefined && idOf(world, one) === id);
  return named ?? read ?? owner?.[0] ?? '';
}

/**
 * Answer one request the proxy has passed on.
 * @param path below the service root, with its query
 */
export function answerDocuments(
  request: Request,
  path: string,
  context: ProviderContext & { shelves: Shelves },
): Answer {
  const { world, practice, shelves, scenario, now } = context;
  const interaction = paths.find(([shape]) => shape.test(path))?.[1];
  if (interaction !== request.headers['ssp-interactionid']) {
    const why = 'Ssp-InteractionID is not the interaction of this path';
    return refused('BAD_REQUEST', why);
  }
  const refusal = checkClaims(context.claims, {
    audience: context.address,
    organisation: context.consumer.ods,
    now: Math.floor(now.getTime() / 1000),
  });
  if (refusal) return providerError(refusal);
  if (scenario && Object.hasOwn(providerErrors, scenario.name)) {
    return refused(scenario.name as ProviderCode, 'Scenario of the simulator');
  }
  if (scenario?.name === 'documentsDisabled') {
    return refused('ACCESS DENIED', 'Access Document is not enabled at this practice');
  }
  const registered = (nhsNumber: string) => {
    const patient = world.patients.get(nhsNumber);
    return (
      patient &&
      !patient.restricted &&
      patient.deceased === undefined &&
      currentPractice(patient, londonDate(now.getTime())) === practice.ods
    );
  };
  const query = new URLSearchParams(path.split('?')[1]);
  const nhsNumber = documentsPatient(path, world, shelves);
  if (path.startsWith('Patient?')) {
    const wrong = wrongIdentifier(query);
    if (wrong) return providerError(wrong);
    const known = registered(nhsNumber) && world.records.has(nhsNumber);
    return searchset(known ? peopleOf(world, nhsNumber).slice(0, 1) : []);
  }
  if (path.startsWith('Binary/')) {
    const document = shelves
      .get(nhsNumber)
      ?.find((one) => one.content !== undefined && `Binary/${binaryOf(one)}` === path);
    if (!document) return refused('NO_RECORD_FOUND', 'There is no such document');
    return json(200, {
      resourceType: 'Binary',
      id: binaryOf(document),
      meta: { versionId: '1' },
      contentType: document.contentType,
      content: Buffer.from(document.content ?? '').toString('base64'),
    });
  }
  if (!registered(nhsNumber)) return refused('PATIENT_NOT_FOUND', 'There is no such patient');
  const absent = includes.find(([name, value]) => !query.getAll(name).includes(value));
  if (absent) return refused('INVALID_PARAMETER', `${absent.join('=')} is missing`);
  const chosen = (shelves.get(nhsNumber) ?? []).filter((one) => isWithin(one, query));
  const patient = `Patient/${idOf(world, nhsNumber)}`;
  const references = chosen.map((one) => resourceOf(one, patient, context.address));
  return searchset([...peopleOf(world, nhsNumber), ...references]);
}

/** What a search must ask for ("Search for a patient's documents"). */
const includes = [
  ['_include', 'DocumentReference:subject:Patient'],
  ['_include', 'DocumentReference:custodian:Organization'],
  ['_include', 'DocumentReference:author:Organization'],
  ['_include', 'DocumentReference:author:Practitioner'],
  ['_revinclude:recurse', 'PractitionerRole:practitioner'],
] as const;

function wrongIdentifier(query: URLSearchParams): Refusal | undefined {
  const [system, value = ''] = (query.get('identifier') ?? '').split('|');
  if (!query.has('identifier')) return { code: 'INVALID_PARAMETER', why: 'identifier is missing' };
  if (system !== 'https://fhir.nhs.uk/Id/nhs-number') {
    return { code: 'INVALID_IDENTIFIER_SYSTEM', why: 'identifier' };
  }
  return isNhsNumber(value) ? undefined : { code: 'INVALID_NHS_NUMBER', why: 'identifier' };
}

function isWithin({ created, indexed }: DocumentFacts, query: URLSearchParams): boolean {
  const day = (created ?? indexed).slice(0, 10);
  return query.getAll('created').every((limit) => {
    const date = limit.slice(2);
    return limit.startsWith('ge') ? day >= date : day <= date;
  });
}

const binaryOf = ({ id }: Pick<DocumentFacts, 'id'>) => `B-${id}`;

function resourceOf(facts: DocumentFacts, subject: string, address: string): object {
  const { id, type, typeText, description, created, indexed, author, custodian, setting } = facts;
  const { contentType, content, title, size = Buffer.byteLength(content ?? '') } = facts;
  const coding = type && [{ system: 'http://snomed.info/sct', ...type }];
  return {
    resourceType: 'DocumentReference',
    id,
    meta: {
      profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-DocumentReference-1'],
    },
    identifier: [{ system: 'https://documents.gp.example/Id', value: id }],
    status: 'current',
    type: { ...(coding && { coding }), ...(typeText && { text: typeText }) },
    subject: { reference: subject },
    ...(created && { created }),
    indexed,
    ...(author && { author: [{ reference: author }] }),
    ...(custodian && { custodian: { reference: custodian } }),
    description,
    content: [
      {
        attachment: {
          contentType,
          ...(content !== undefined && {
            url: `${address.replace(/\/$/, '')}/Binary/${binaryOf(facts)}`,
          }),
          size,
          ...(title && { title }),
        },
      },
    ],
    ...(setting && { context: { practiceSetting: { text: setting } } }),
  };
}

function idOf(world: World, nhsNumber: string): string | undefined {
  return peopleOf(world, nhsNumber)[0]?.id;
}

/** The patient, then the organisations and staff of the record. */
function peopleOf(world: World, nhsNumber: string) {
  const types = ['Patient', 'Organization', 'Practitioner', 'PractitionerRole'];
  return (world.records.get(nhsNumber)?.entry ?? [])
    .flatMap(({ resource }) => (resource && types.includes(resource.resourceType) ? resource : []))
    .sort((a, b) => types.indexOf(a.resourceType) - types.indexOf(b.resourceType));
}

function searchset(resources: object[]): Answer {
  const profile = ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Searchset-Bundle-1'];
  return json(200, {
    resourceType: 'Bundle',
    meta: { profile },
    type: 'searchset',
    total: resources.length,
    entry: resources.map((resource) => ({ resource })),
  });
}

const refused = (code: ProviderCode, why: string) => providerError({ code, why });
