/**
 * A batch (FHS, BHS): stored whole first, then each of its messages is an exchange of its own, in
 * their order, and the batch is answered as the channel says: with all acknowledgements in one
 * batch, with the refusals alone, or with one acknowledgement for all.
 */
import { type Answer, answerEnd, answerFault } from './answer.ts';
import type { Channel } from './channel.ts';
import { faults } from './faults.ts';
import { batchResponse } from './hl7/batch-response.ts';
import { type BatchFile, isBatch, splitBatch } from './hl7/batch.ts';
import { completeDelimiters, encodingCharacters } from './hl7/delimiters.ts';
import { type Message, parseMessage } from './hl7/message.ts';
import { type Work, commit } from './work.ts';

/** An exchange that has ended. */
export interface Ended {
  work: Work;
  answer: Answer;
  /** False where the journal could not store even the answer. */
  stored: boolean;
}

/** Whether what arrived is to be taken as a batch; without headers only where they are split. */
export function isBatchFor({ batches }: Channel, payload: Buffer): boolean {
  if (isBatch(payload)) return true;
  return batches === 'split' && (payload.includes('\rMSH') || payload.includes('\nMSH'));
}

/**
 * Work on a batch.
 * @param work the exchange of the batch itself; what it received is pending
 * @param one works on a message of the batch; called in their order
 * @returns what the batch is answered, not yet committed, and what became of its messages
 * @throws FaultError of the 6xxx rows: nothing was stored, and no message was worked on
 */
export async function answerBatch(
  work: Work,
  payload: Buffer,
  one: (message: Buffer, number: number) => Promise<Ended>,
): Promise<{ answer: Answer; parts: Ended[] }> {
  const { channel, keys } = work;
  const file = splitBatch(payload);
  work.message = standIn(file);
  work.payload = payload;
  keys.type = (file.header ?? file.batches[0]?.header)?.fields[0] ?? 'MSH';
  keys.controlId = work.message.raw('MSH-10') ?? '';
  keys.sender = `${work.message.get('MSH-3') ?? ''}|${work.message.get('MSH-4') ?? ''}`;
  if (channel.batches !== 'split') {
    return { answer: answerFault(work, { name: 'batchNotAccepted' }, 'accept'), parts: [] };
  }
  if (file.problems.length > 0) {
    const detail = file.problems.slice(0, 5).join('; ');
    tell(work, { event: 'not split', detail });
    const fault = { name: 'batchInconsistent', detail } as const;
    return { answer: answerFault(work, fault, 'accept'), parts: [] };
  }
  await commit(work);
  const parts = await inOrder(file, channel.limits.pipeline, one);
  const all = parts.flat();
  const refused = all.filter(({ answer }) => isRefused(answer));
  tell(work, {
    event: `split into ${all.length} messages, ${refused.length} refused`,
    ...(refused.length > 0 && { refused: refused.slice(0, 100).map((each) => each.work.name) }),
    ...(file.warnings.length > 0 && { warnings: [...new Set(file.warnings)] }),
  });
  return { answer: answered(work, file, parts), parts: all };
}

/** A few are worked on at a time, as many as of one connection; each begins after the one before. */
async function inOrder(
  file: BatchFile,
  atOnce: number,
  one: (message: Buffer, number: number) => Promise<Ended>,
): Promise<Ended[][]> {
  const begun: Promise<Ended>[] = [];
  const batches = file.batches.map(({ messages }) => messages);
  for (const message of batches.flat()) {
    if (begun.length >= atOnce) await begun[begun.length - atOnce];
    begun.push(one(message, begun.length + 1));
  }
  const ended = await Promise.all(begun);
  return batches.map((messages) => ended.splice(0, messages.length));
}

function answered(work: Work, file: BatchFile, parts: Ended[][]): Answer {
  const { batchAnswer, us } = work.channel;
  const all = parts.flat();
  const refused = all.filter(({ answer }) => isRefused(answer));
  if (batchAnswer === 'one') {
    if (refused.length === 0) return answerEnd(work, 'accepted');
    return answerFault(work, { name: 'batchPartlyRefused' }, 'application');
  }
  const shown = (one: Ended) => batchAnswer === 'each' || isRefused(one.answer);
  const payloadsOf = (ended: Ended[]) =>
    ended.filter(shown).flatMap(({ answer }) => answer.payloads);
  const answer = { ...answerEnd(work, 'accepted'), payloads: payloadsOf(all) };
  // Without headers there is no batch to answer: each acknowledgement goes by itself.
  if (!file.header && file.batches.every(({ header }) => !header)) return answer;
  const now = new Date(work.around.now() / 1000);
  const bytes = batchResponse(
    file,
    parts.map((ended) => payloadsOf(ended).map((payload) => payload.bytes)),
    { ...us, controlId: work.name, now },
  );
  return { ...answer, payloads: [{ level: 'application', bytes }] };
}

const isRefused = ({ fault }: Answer): boolean =>
  fault !== undefined && faults[fault.name].msa !== 'AA';

/** The batch's own header as one of a message, so that an acknowledgement can name it in MSA-2. */
function standIn(file: BatchFile): Message {
  const { delimiters, fields } = file.header ??
    file.batches[0]?.header ?? { delimiters: undefined, fields: [] };
  const given = delimiters && completeDelimiters(delimiters);
  const separator = given?.field ?? '|';
  const of = (number: number) => fields[number] ?? '';
  const [first] = file.batches.flatMap(({ messages }) => messages);
  const version = first && versionOf(first);
  const msh = [
    ...['MSH', given ? encodingCharacters(given) : '^~\\&', of(3), of(4), of(5), of(6)],
    ...['', '', '', of(11), 'P', version ?? '2.4'],
  ];
  return parseMessage(Buffer.from(`${msh.join(separator)}\r`, 'latin1'));
}

function versionOf(message: Buffer): string | undefined {
  try {
    return parseMessage(message).get('MSH-12');
  } catch {
    return undefined;
  }
}

function tell(work: Work, note: Readonly<Record<string, unknown>>): void {
  work.pending.push({ kind: 'step', at: work.around.now(), note });
}
