/**
 * What is asked for beside the record, where the channel wants it: the documents, and the HTML view of
 * what the practice's system does not give as a structured record. The record is there already, and
 * nothing that happens here loses it: what cannot be had is said in the status line of its dataset.
 */
import { type Fault, faults } from './faults.ts';
import type {
  Asker,
  Attempt,
  Beside,
  Dataset,
  Endpoint,
  GpHtml,
  GpRecord,
  Hop,
  LocateEndpoint,
  Outcome,
  RecordRequest,
} from './gp/port.ts';
import { unansweredIn } from './mapping/beside.ts';
import type { ReadWork } from './work.ts';

/** Kept of the sender's time for mapping and answering, milliseconds. */
const forTheAnswer = 500;

/** Ask for what stands beside a record. @returns it, and the hops it took */
export async function askBeside(
  work: ReadWork,
  request: RecordRequest,
  reply: GpRecord | GpHtml,
  asker: Asker,
  attempt: Attempt,
): Promise<{ beside: Beside; hops: Hop[] }> {
  const hops: Hop[] = [];
  const beside: Beside = {};
  const left = Math.max(0, attempt.left() - forTheAnswer);
  const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(left)]);
  const within: Attempt = { ...attempt, signal };
  if (reply.kind === 'bundle') {
    beside.html = await askSections(work, request, reply, asker, within, hops);
  }
  if (request.datasets.includes('DOC')) {
    beside.documents = await askDocuments(work, request, asker, within, hops);
  }
  return { beside, hops };
}

async function askSections(
  work: ReadWork,
  request: RecordRequest,
  { opening }: GpRecord,
  asker: Asker,
  attempt: Attempt,
  hops: Hop[],
): Promise<Beside['html']> {
  const { locateHtml, html } = work.around.outside;
  if (!locateHtml || !html || !work.loaded.mapping) return undefined;
  const datasets = unansweredIn(work.loaded.mapping, opening, request.datasets).filter(hasSection);
  if (datasets.length === 0) return undefined;
  const endpoint = await located(work, locateHtml, asker, attempt, hops);
  if (endpoint.value?.kind !== 'html') return undefined;
  const outcome = await html({ ...request, datasets }, endpoint.value, asker, attempt);
  hops.push(...outcome.hops);
  const { sections, datesIgnored } = outcome.value ?? {};
  if (datesIgnored && !work.cautions.includes('datesNotApplied')) {
    work.cautions.push('datesNotApplied');
  }
  return sections;
}

/** Datasets the HTML view has a section for; the summary repeats what the others hold. */
const hasSection = (dataset: Dataset) =>
  ['ALL', 'MED', 'PRB', 'IMM', 'OBS', 'ENC', 'REF'].includes(dataset);

async function askDocuments(
  work: ReadWork,
  request: RecordRequest,
  asker: Asker,
  attempt: Attempt,
  hops: Hop[],
): Promise<Beside['documents']> {
  const { locateDocuments, documents } = work.around.outside;
  if (!locateDocuments || !documents) {
    return { status: 'U', says: 'This channel does not ask for documents.' };
  }
  const endpoint = await located(work, locateDocuments, asker, attempt, hops);
  if (endpoint.value?.kind !== 'gpconnect') {
    if (endpoint.event !== 'notFound') return unavailable(endpoint.fault);
    return { status: 'U', says: 'The practice does not offer its documents.' };
  }
  const outcome = await documents(request, endpoint.value, asker, attempt);
  hops.push(...outcome.hops);
  if (outcome.value) return outcome.value;
  // The practice has just given the record: what it denies are its documents.
  if (outcome.fault?.name === 'gpAccessDenied')
    return { ...unavailable(outcome.fault), status: 'D' };
  return unavailable(outcome.fault);
}

async function located(
  work: ReadWork,
  locate: LocateEndpoint,
  asker: Asker,
  attempt: Attempt,
  hops: Hop[],
): Promise<Omit<Outcome<Endpoint>, 'hops'>> {
  const practice = work.trace?.practice;
  if (!practice) return { event: 'notFound', fault: { name: 'practiceUnknown' } };
  const outcome = await locate(practice, asker, attempt);
  hops.push(...outcome.hops);
  return outcome;
}

/** Why there are no documents: the GP side's own words where it has some for the clinician. */
function unavailable(fault: Fault | undefined): { status: 'U'; says: string } {
  const name = fault?.name ?? 'gpUnavailable';
  let says = 'The documents cannot be had.';
  if (faults[name].class === 'transient') says = 'The documents are temporarily unavailable.';
  // That the documents service does not know the patient is not that there is no record.
  if (name === 'patientNotFound') says = 'The documents service does not know this patient.';
  return { status: 'U', says: fault?.verbatim ?? says };
}
