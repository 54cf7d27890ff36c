/**
 * The effect `map`: the reply becomes segments, here or, if it is large, apart; and what a push is
 * composed of besides.
 */
import type { ReadRecord } from './apart/apart.ts';
import type { Performed } from './asking.ts';
import { FaultError } from './faults.ts';
import type { GpHtml, GpRecord } from './gp/port.ts';
import { contentVersion } from './hl7/version.ts';
import { type MapOptions, mapRecord } from './mapping/apply.ts';
import { type Composing, compose } from './push/message.ts';
import type { Query } from './query/query.ts';
import type { ReadWork } from './work.ts';

/** Map the reply; a GP system's own HL7 answer is passed on as it is. */
export async function mapReply(work: ReadWork): Promise<Performed> {
  const { reply, query, loaded, around, message } = work;
  work.keys.state = 'mapping';
  if (!reply || !query) return { event: 'permanent', fault: { name: 'internalError' } };
  if (reply.kind === 'hl7') return { event: 'found' };
  if (!loaded.mapping) return { event: 'permanent', fault: { name: 'mappingFailed' } };
  const options = optionsFor(work, query, reply);
  const { mapper } = around.outside;
  try {
    work.record = mapper
      ? await mapper.map(read(reply), options, message.delimiters)
      : mapRecord(loaded.mapping, reply.bundle, options);
  } catch (error) {
    if (error instanceof FaultError) return { event: 'permanent', fault: error.fault };
    throw error;
  }
  return { event: 'found' };
}

/**
 * Compose the message of a push from the record that was mapped for it.
 * @throws FaultError as `compose` does
 */
export async function composePush(
  work: ReadWork,
  pushing: Omit<Composing, 'record'>,
): Promise<Uint8Array | undefined> {
  const { record, reply, query } = work;
  if (!record || !query || !reply || reply.kind === 'hl7') {
    throw new FaultError({ name: 'internalError' });
  }
  const { mapper } = work.around.outside;
  if (!mapper) return compose({ ...pushing, record });
  return mapper.compose(read(reply), optionsFor(work, query, reply), pushing, record);
}

const read = (reply: GpRecord | GpHtml): ReadRecord =>
  reply.kind === 'bundle' ? { bundle: reply.bundle, texts: reply.texts } : { bundle: reply.bundle };

function optionsFor(work: ReadWork, query: Query, reply: GpRecord | GpHtml): MapOptions {
  const { beside, channel, message, around } = work;
  return {
    datasets: query.datasets,
    profile: query.kind.answer.profile,
    version: contentVersion(query.kind.answer.version ?? message.get('MSH-12')),
    now: new Date(around.now() / 1000),
    site: channel.site,
    limits: reply.kind === 'bundle' ? reply.limits : undefined,
    beside: reply.kind === 'html' ? { ...beside, html: reply.sections } : beside,
  };
}
