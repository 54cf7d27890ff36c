/** What is sent for a message: filtered by the channel, mapped, and asking for acknowledgements. */
import type { Channel, Destination } from '../channel.ts';
import { FaultError } from '../faults.ts';
import { acknowledgementMode, wanted } from '../hl7/ack.ts';
import { unmet } from '../hl7/condition.ts';
import { type CharsetName, type Message, parseMessage } from '../hl7/message.ts';
import { type ExchangeId, exchangeName } from '../journal/journal.ts';
import type { FeedMapping } from '../mapping/feed/load.ts';
import type { Prepare, Prepared } from './outbound.ts';

type Entry = Channel['deliver'][number];
type Feed = Extract<Destination, { kind: 'feed' }>;

export interface PrepareOptions {
  entry: Pick<Entry, 'when' | 'unless'>;
  /** What MSH-15 and MSH-16 are to ask for; as received unless told. */
  acknowledge?: Feed['acknowledge'];
  map?: FeedMapping;
  /** What to assume where MSH-18 is empty or unknown. */
  charset?: CharsetName;
}

/** The preparation of what one destination is sent; the same bytes give the same again. */
export function preparing(options: PrepareOptions): Prepare {
  return async (exchange, received) => {
    try {
      const message = parseMessage(received, { charset: options.charset });
      const why = leftOut(message, options.entry);
      if (why !== undefined) return { kind: 'filtered', why };
      return readyToSend(message, exchange, options);
    } catch (error) {
      if (error instanceof FaultError) return { kind: 'failed', fault: error.fault };
      throw error;
    }
  };
}

/**
 * A message mapped, and asking for the acknowledgements that the destination gives.
 * @throws FaultError preparationFailed
 */
export function readyToSend(
  message: Message,
  exchange: ExchangeId,
  { acknowledge, map }: Pick<PrepareOptions, 'acknowledge' | 'map'>,
): Prepared {
  // An id is the time at which its exchange began.
  const context = { exchange: exchangeName(exchange), received: new Date(exchange / 1000) };
  map?.apply(message, context);
  if (acknowledge) askFor(message, acknowledge);
  const controlId = message.get('MSH-10');
  if (controlId === undefined) throw unusable('MSH-10 is empty');
  if (!isAcknowledged(message)) {
    throw unusable(
      'MSH-15 and MSH-16 ask for no acknowledgement of success; set acknowledge on the destination',
    );
  }
  return { kind: 'send', payload: message.toBytes(), controlId };
}

/** Why a message is not for this destination; in words that hold nothing of it. */
export function leftOut(
  message: Message,
  { when, unless }: PrepareOptions['entry'],
): string | undefined {
  const why = unmet(message, when);
  if (why !== undefined || !unless || unmet(message, unless) !== undefined) return why;
  return `unless: ${Object.keys(unless).join(', ')}`;
}

/** Enhanced mode (HL7 v2.5 §2.9.3) is asked for by MSH-15 and MSH-16, original mode by neither. */
function askFor(message: Message, acknowledge: NonNullable<Feed['acknowledge']>): void {
  const [accept, application] = {
    original: ['', ''],
    accept: ['AL', 'NE'],
    'accept+application': ['AL', 'AL'],
  }[acknowledge] as [string, string];
  message.setRaw('MSH-15', accept);
  message.setRaw('MSH-16', application);
}

/** Without any acknowledgement nobody would ever know that it arrived. */
function isAcknowledged(message: Message): boolean {
  const { accept, application } = acknowledgementMode(message);
  return wanted(accept, 'success') || wanted(application, 'success');
}

const unusable = (detail: string) => new FaultError({ name: 'preparationFailed', detail });
