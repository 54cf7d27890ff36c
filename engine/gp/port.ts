/**
 * The port behind which every GP back end stands: what the route's effects ask of the outside, and
 * how the outside answers. Each function makes ONE attempt; retry, backoff and fallback belong to
 * the route.
 */
import type { Fault } from '../faults.ts';
import type { Message } from '../hl7/message.ts';

/** Who asks. All four of user, role, organisation and consent are required before anything is asked. */
export interface Asker {
  user: { id: string; localId?: string; family: string; given?: string; prefix?: string };
  /** SDS role profile id, or `UNK` without a smartcard. */
  roleProfile: string;
  organisation: { ods: string; name: string };
  /** `G` given, `R` refused, `E` emergency. */
  consent: 'G' | 'R' | 'E';
  emergencyReason?: string;
  department?: string;
}

/** One request over the wire and what came back, for the journal. Secrets are already removed. */
export interface Hop {
  /** Configured endpoint name, never a URL that could hold patient data. */
  to: string;
  /** For example `PDS read`, `SDS Endpoint`, the Spine interaction id, or the HL7 message type. */
  interaction: string;
  /** Microseconds since 1970. */
  startedAt: number;
  endedAt: number;
  /** HTTP status, where there is one. */
  status?: number;
  request: Uint8Array;
  reply?: Uint8Array;
}

/** How an effect ended; each of these is an event of the route's statechart. */
export type OutcomeEvent =
  | 'found' // the thing looked up
  | 'notFound'
  | 'restricted'
  | 'refused'
  | 'notEnabled' // the practice does not offer what was asked for; it may offer something else
  | 'reply'
  | 'transient'
  | 'ambiguous'
  | 'permanent'
  | 'timeout';

export interface Outcome<V> {
  event: OutcomeEvent;
  /** Present with `found` and `reply`. */
  value?: V;
  /** Present with every other event. */
  fault?: Fault;
  hops: Hop[];
}

/** What an effect is given besides its own arguments. */
export interface Attempt {
  /** Ends when the sender's deadline passes or the engine stops. */
  signal: AbortSignal;
  /** UUID, the same for every request of one exchange (X-Correlation-ID). */
  correlationId: string;
  /** UUID kept over the retries of one request (PDS X-Request-ID). */
  requestId: string;
  /**
   * Who asks about whom (user, role, organisation, patient): what was looked up may be used again
   * for the same, and for nobody else. It stays in memory.
   */
  session: string;
  /** Whole milliseconds left until the sender's deadline. */
  left(): number;
  /**
   * Called with each request before it is sent; what it returns is awaited, so that nothing is
   * asked that is not yet in the journal.
   */
  beforeAsk(hop: Pick<Hop, 'to' | 'interaction' | 'startedAt' | 'request'>): Promise<void>;
}

/** What PDS (or another trace) knows of a patient. */
export interface Trace {
  /** The current NHS number; differs from the one asked where that was superseded. */
  nhsNumber: string;
  superseded: boolean;
  /** ODS code of the general practitioner current today, or undefined. */
  practice?: string;
  /** PDS records a death, with or without its date. */
  deceased?: boolean;
  family?: string;
  given?: string[];
  gender?: string;
  birthDate?: string;
  /** Where the answer came from. */
  source: 'pds' | 'table' | 'adtIndex';
}

export type TracePatient = (
  nhsNumber: string,
  asker: Asker,
  attempt: Attempt,
) => Promise<Outcome<Trace>>;

/** Where and how a practice's record is asked for. */
export type Endpoint =
  | { kind: 'gpconnect'; name: string; address: string; asid: string }
  | { kind: 'html'; name: string; address: string; asid: string }
  | { kind: 'cdg'; name: string }
  | { kind: 'mllp'; name: string };
/** The endpoints of one or several kinds. */
export type EndpointOf<Kind extends Endpoint['kind']> = Extract<Endpoint, { kind: Kind }>;

export type LocateEndpoint = (
  practice: string,
  asker: Asker,
  attempt: Attempt,
) => Promise<Outcome<Endpoint>>;

/** The parts of the GP record (QPD-4, QRD-9), in the order of the answer. */
export const datasets = [
  'PAT', // patient summary and demographics
  'ALL', // allergies and adverse reactions
  'RSK', // risks and warnings: a view
  'MED', // medication
  'PRB', // problems
  'DIA', // diagnoses: a view over problems
  'IMM', // immunisations
  'OBS', // uncategorised observations, blood pressure among them
  'INV', // investigations
  'PROC', // procedures: a view
  'ENC', // encounters and consultations
  'ADM', // admissions: a view
  'REF', // referrals
  'DRY', // diary entries
  'DOC', // documents
] as const;
export type Dataset = (typeof datasets)[number];

export interface RecordRequest {
  nhsNumber: string;
  datasets: Dataset[];
  /** Dates as `YYYY-MM-DD`, from QPD-5 and QPD-6. */
  from?: string;
  to?: string;
}

/** A GP record as a FHIR STU3 collection Bundle; the bytes it came in are in the hops. */
export interface GpRecord {
  kind: 'bundle';
  /** Whose it is, its lists, and what the GP system says of it: of a large one no more is read here. */
  opening: unknown;
  /** All of it; undefined where it is large. */
  bundle?: unknown;
  /** What it is read from where it is mapped, if it is large: one Bundle or several. */
  texts?: readonly Uint8Array[];
  /**
   * What was not asked for because of the dates, by dataset, in a sentence for the clinician: an
   * answer that is limited must not look as if it were all.
   */
  limits?: Partial<Record<Dataset, string>>;
  /** Something asked for is not limited to the dates asked for. */
  datesIgnored?: boolean;
}
/** One section of the GP system's own view of a record: XHTML, which is never read as codes. */
export interface HtmlSection {
  /** The dataset it is shown under. */
  dataset: Dataset;
  /** Its code in GP Connect 0.7, and its name for people. */
  code: string;
  title: string;
  /** The XHTML of each part that came, in order. */
  html?: readonly string[];
  /** Why there is none. */
  fault?: Fault;
  /** What its dates leave out, in a sentence for the clinician. */
  limit?: string;
}
/** A GP record as the GP system's own view, section by section. */
export interface GpHtml {
  kind: 'html';
  /** Patient, practice and practitioner, as a STU3 collection Bundle. */
  bundle: unknown;
  sections: HtmlSection[];
  datesIgnored?: boolean;
}
/** A patient's documents as a STU3 collection Bundle with one List that names them. */
export interface GpDocuments {
  bundle: unknown;
  /** Characters of the documents themselves that are in it. */
  length: number;
  /** What the dates leave out, in a sentence for the clinician. */
  limit?: string;
}
/** What was asked for beside a record. */
export interface Beside {
  /** Sections of the practice's own view, for datasets the record says nothing of. */
  html?: readonly HtmlSection[];
  /** The documents, or what the answer says where there are none. */
  documents?: GpDocuments | { status: 'D' | 'U'; says: string };
}
/** A GP system's HL7 v2 answer. */
export interface GpMessage {
  kind: 'hl7';
  bytes: Uint8Array;
}
/** What a GP system can answer with. */
export type GpReply = GpRecord | GpHtml | GpMessage;

/** Asks one kind of endpoint for a record. */
export type Ask<Kind extends Endpoint['kind'], Reply> = (
  request: RecordRequest,
  endpoint: EndpointOf<Kind>,
  asker: Asker,
  attempt: Attempt,
) => Promise<Outcome<Reply>>;

export type AskRecord = Ask<'gpconnect', GpRecord>;
export type AskGateway = Ask<'cdg', GpRecord>;
export type AskHtml = Ask<'html', GpHtml>;
/** Asks the practice's documents service, which has an address of its own. */
export type AskDocuments = Ask<'gpconnect', GpDocuments>;

/** Asks a GP system that speaks HL7 v2: the hospital's own query is forwarded, unchanged but for its header. */
export type AskMessage = (
  query: Message,
  request: RecordRequest,
  attempt: Attempt,
) => Promise<Outcome<GpMessage>>;
