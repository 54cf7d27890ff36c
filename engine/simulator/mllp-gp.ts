/**
 * A GP system that speaks HL7 v2 over MLLP: QBP^Q11 is answered with RSP^K11, QRY^A19 with ADR^A19,
 * for the patients whose records lie in a folder. As strict as such systems are: only `^~\&`, an
 * asker named in full, an NHS number with its authority.
 */
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { silent } from '../events.ts';
import type { Emit } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import type { Fault } from '../faults.ts';
import { buildAck, msaSegment, responseHeader } from '../hl7/ack.ts';
import type { Responder } from '../hl7/ack.ts';
import { encodeMessage } from '../hl7/encode.ts';
import { parseMessage } from '../hl7/message.ts';
import type { Message } from '../hl7/message.ts';
import type { Segment } from '../hl7/segment.ts';
import { checkQuery } from './mllp-gp-check.ts';
import { loadHl7Records } from './mllp-records.ts';
import type { Hl7Record } from './mllp-records.ts';
import { serveMllp } from './mllp-server.ts';
import type { MllpAnswer } from './mllp-server.ts';

/** What can go wrong, for one patient: see `spoil`. */
export const mllpScenarios = {
  slow: 'answers after ms (3000 unless told)',
  hang: 'never answers',
  reset: 'resets the connection',
  cutShort: 'ends the connection inside the answer',
  unframed: 'answers without MLLP framing',
  notHl7: 'answers with text that is no HL7',
  busy: 'answers AR: temporarily unavailable',
  otherControlId: 'answers with an MSA-2 that is not the MSH-10 of the query',
  otherPatient: 'answers with the record of someone else',
} as const;

export interface MllpScenario {
  name: keyof typeof mllpScenarios;
  ms?: number;
  /** Only the first so many queries; then all is well. */
  first?: number;
}

export interface MllpGpSideOptions {
  /** Folder of the simulated patients; the records lie in its folder `mllp`. */
  patients: string;
  emit?: Emit;
  now?: () => Date;
}

export interface MllpGpOptions extends MllpGpSideOptions {
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  tls?: TlsOptions;
}

/** The GP system without a listener: what stands behind the simulator's port. */
export interface MllpGpSide {
  /** The newest queries as they came, oldest first. */
  asked: Buffer[];
  /** NHS numbers with a record. */
  patients: string[];
  /** Switch a scenario on for a patient; undefined switches it off. */
  set(nhsNumber: string, scenario: MllpScenario | MllpScenario['name'] | undefined): void;
  /** Answer one message, unframed; what the network does to the answer is up to the caller. */
  answer(payload: Buffer): MllpAnswer;
}

export interface MllpGp extends Omit<MllpGpSide, 'answer'> {
  port: number;
  close(): Promise<void>;
}

const queriesKept = 1000;

/**
 * The GP system, to be called directly.
 * @throws Error where the folder cannot be read or a record is no HL7
 */
export function createMllpGp(options: MllpGpSideOptions): MllpGpSide {
  const { emit = silent, now = () => new Date() } = options;
  const records = loadHl7Records(join(options.patients, 'mllp'));
  const switched = new Map<string, { scenario: MllpScenario; left: number }>();
  const asked: Buffer[] = [];
  let answered = 0;

  function answer(payload: Buffer): MllpAnswer {
    asked.push(payload);
    if (asked.length > queriesKept) asked.shift();
    const us: Responder = {
      controlId: `GP${++answered}`,
      now: now(),
      application: 'LEGACYGP',
      facility: 'Z99907',
    };
    let query: Message;
    try {
      query = parseMessage(payload);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { payload: refuse(undefined, us, error.fault) };
    }
    emit('simulator.asked', { interaction: query.get('MSH-9.1'), type: query.get('MSH-9.2') });
    const checked = checkQuery(query);
    if ('fault' in checked) return { payload: refuse(query, us, checked.fault) };
    const found = switched.get(checked.nhsNumber);
    const scenario = found && found.left-- > 0 ? found.scenario : undefined;
    return spoil(scenario, query, us, checked.nhsNumber);
  }

  function spoil(
    scenario: MllpScenario | undefined,
    query: Message,
    us: Responder,
    nhsNumber: string,
  ): MllpAnswer {
    const payload = reply(query, us, records.get(nhsNumber));
    switch (scenario?.name) {
      case undefined:
        return { payload };
      case 'slow':
        return { payload, delay: scenario.ms ?? 3000 };
      case 'hang':
        return {};
      case 'reset':
      case 'cutShort':
      case 'unframed':
        return { payload, spoil: scenario.name };
      case 'notHl7':
        return { payload: Buffer.from('The record is being prepared.') };
      case 'busy':
        return { payload: refuse(query, us, { name: 'gpUnavailable' }) };
      case 'otherControlId': {
        const other = parseMessage(payload);
        other.set('MSA-2', `${other.get('MSA-2') ?? ''}X`);
        return { payload: other.toBytes() };
      }
      case 'otherPatient': {
        const someone = [...records].find(([number]) => number !== nhsNumber)?.[1];
        return { payload: reply(query, us, someone) };
      }
    }
  }

  function refuse(query: Message | undefined, us: Responder, fault: Fault): Buffer {
    const { code, msa } = faults[fault.name];
    emit('simulator.refused', { interaction: query?.get('MSH-9.1'), code, detail: fault.name });
    return buildAck(query, { ...us, code: msa, faults: [fault] });
  }

  return {
    asked,
    patients: [...records.keys()],
    set(nhsNumber, given) {
      const scenario = typeof given === 'string' ? { name: given } : given;
      if (scenario) switched.set(nhsNumber, { scenario, left: scenario.first ?? Infinity });
      else switched.delete(nhsNumber);
    },
    answer,
  };
}

/**
 * Start the GP system behind a port.
 * @throws Error where the folder cannot be read or the port is taken
 */
export async function startMllpGp(options: MllpGpOptions): Promise<MllpGp> {
  const { host = '127.0.0.1', port = 0, tls, emit = silent } = options;
  const { answer, ...side } = createMllpGp(options);
  const server = await serveMllp({ host, port, ...(tls && { tls }), answer });
  emit('simulator.listening', { host, port: server.port, count: side.patients.length });
  return { ...side, port: server.port, close: server.close };
}

/** RSP^K11 or ADR^A19 with the record, or with QAK-2 NF where there is none. */
function reply(query: Message, us: Responder, record: Hl7Record | undefined): Buffer {
  const q11 = query.get('MSH-9.1') === 'QBP';
  const type = q11
    ? { code: 'RSP', event: 'K11', structure: 'RSP_K11' }
    : { code: 'ADR', event: 'A19', structure: 'ADR_A19' };
  const echoed = (name: string): Segment[] => {
    const [, ...fields] = query.raw(name)?.split('|') ?? [];
    if (query.count(name) === 0) return [];
    return [{ name, fields: [], echo: Object.fromEntries(fields.map((raw, at) => [at + 1, raw])) }];
  };
  const status = record ? 'OK' : 'NF';
  const name = q11 ? query.raw('QPD-1') : undefined;
  const qak: Segment = {
    name: 'QAK',
    fields: [undefined, undefined, status],
    echo: { 1: query.raw(q11 ? 'QPD-2' : 'QRD-4'), ...(name === undefined ? {} : { 3: name }) },
  };
  const segments = [
    responseHeader(query, us, type),
    msaSegment(query, 'AA', []),
    qak,
    ...(q11 ? echoed('QPD') : [...echoed('QRD'), ...echoed('QRF')]),
    ...((q11 ? record?.rsp : record?.adr) ?? []),
  ];
  return encodeMessage(segments, query).bytes;
}
