/**
 * What came before: the same bytes, which get the answer that was stored, and another message under
 * the same control id, which the channel may refuse.
 */
import type { Answer } from './answer.ts';
import { faultByCode } from './faults.ts';
import { type ExchangeId, exchangeName } from './journal/journal.ts';
import type { Work } from './work.ts';

/**
 * The answer an earlier exchange of this channel with these bytes was given, within its window. What
 * another channel made of them is another matter: it has rules and destinations of its own.
 */
export async function storedAnswer(work: Work): Promise<Answer | undefined> {
  const { journal } = work.around;
  const of = { fingerprint: work.fingerprint, controlId: work.keys.controlId ?? '' };
  const found = journal.repeats(of, windowOf(work));
  const ids = Array.isArray(found) ? found : await found;
  for (const id of ids) {
    const stored = id === work.id ? undefined : await journal.read(id);
    if (stored?.channel !== work.channel.channel) continue;
    const received = stored?.entries.find((entry) => entry.kind === 'received');
    if (!received?.body || Buffer.compare(work.payload, received.body) !== 0) continue;
    const answers = stored.entries.filter((entry) => entry.kind === 'answer');
    const ended = stored.state === 'answered' || stored.state === 'rejected';
    const fault = stored.fault === null ? undefined : faultByCode(stored.fault);
    return {
      exchange: id,
      state: stored.state,
      // A transient failure is never given again, and neither is what was cut short.
      final: ended && (!fault || fault.class === 'permanent'),
      fault: fault && { name: fault.name },
      payloads: answers.map((entry) => ({
        level: entry.note?.level === 'accept' ? 'accept' : 'application',
        bytes: entry.body ?? new Uint8Array(),
      })),
    };
  }
  return undefined;
}

/** By which a sender tells its messages apart. */
export const idOf = ({ keys }: Work): string => `${keys.sender}\n${keys.controlId}`;

/**
 * Whether this sender's control id stood, within the window, on another message that was accepted;
 * it is flagged in the journal. Looked for only where the channel says what becomes of it.
 * @param before what came to the message of this id that is still worked on
 * @returns whether the channel refuses it
 */
export async function isReused(work: Work, before: Promise<Answer> | undefined): Promise<boolean> {
  const { otherBytes } = work.channel.repeats;
  if (otherBytes === 'accept') return false;
  const earlier = (await acceptedOf(before)) ?? (await acceptedOther(work));
  if (earlier === undefined) return false;
  const { emit, now } = work.around;
  const of = exchangeName(earlier);
  const note = { event: `its control id stood on another message: ${of}`, controlIdOf: of };
  work.pending.push({ kind: 'step', at: now(), note });
  emit('exchange.controlIdReused', { channel: work.channel.channel, exchange: work.name });
  return otherBytes === 'refuse';
}

async function acceptedOf(before: Promise<Answer> | undefined): Promise<ExchangeId | undefined> {
  const answer = await before?.catch(() => undefined);
  return answer?.state === 'answered' ? answer.exchange : undefined;
}

async function acceptedOther(work: Work): Promise<ExchangeId | undefined> {
  const { journal } = work.around;
  const { sender, controlId } = work.keys;
  const filter = { sender, controlId, channel: work.channel.channel, since: windowOf(work) };
  for (const { id, state, type } of await journal.list({ ...filter, limit: 100 })) {
    // A batch has control ids of its own.
    if (id === work.id || state !== 'answered' || type === 'BHS' || type === 'FHS') continue;
    const first = await journal.beginning(id);
    // A person sent it again, perhaps changed: it is not the sender who used the id twice.
    if (first?.kind !== 'received' || first.note?.act !== undefined) continue;
    if (first.body && Buffer.compare(work.payload, first.body) !== 0) return id;
  }
  return undefined;
}

const windowOf = ({ at, channel }: Work): number => at - channel.repeats.window * 1000;
