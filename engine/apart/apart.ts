/**
 * What is done with a large record in a thread of its own, so that everybody else's small messages
 * are answered meanwhile: reading it, mapping it, writing its items, composing a push of it. A small
 * one costs less than the way to the thread and back.
 */
import { setImmediate } from 'node:timers/promises';
import { type Fault, FaultError } from '../faults.ts';
import { isLarge } from '../gp/json.ts';
import type { CharsetName, Delimiters } from '../hl7/message.ts';
import { mapRecord } from '../mapping/apply.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import type { MappedRecord } from '../mapping/mapped.ts';
import type { MapOptions } from '../mapping/scope.ts';
import { carried } from '../mapping/written.ts';
import { type Composing, compose } from '../push/message.ts';
import { createThread, threadFile } from '../thread.ts';

/** A record as its GP system gave it. */
export interface ReadRecord {
  /** Its Bundle; undefined where that is too large to have been read here. */
  bundle?: unknown;
  /** The Bundles as they came. */
  texts?: readonly Uint8Array[];
}

/** What a push says besides the record; the message that set it off travels as its bytes. */
export type Pushing = Omit<Composing, 'record' | 'message'>;

export type ApartRequest =
  | { do: 'read'; text: Uint8Array; openingOnly: boolean }
  | { do: 'map'; record: ReadRecord; options: MapOptions; delimiters: Delimiters }
  | {
      do: 'compose';
      record: ReadRecord;
      options: MapOptions;
      pushing: Pushing;
      message: Uint8Array;
      charset: CharsetName;
    };

/** What was asked for, and nothing of the rest. */
export interface ApartReply {
  json?: unknown;
  record?: MappedRecord;
  bytes?: Uint8Array;
}

export interface Mapper {
  /**
   * Map a record, here or apart.
   * @param delimiters of the answer: the items of a record mapped apart are written with them
   * @throws FaultError as `mapRecord` does
   */
  map(
    record: ReadRecord,
    options: MapOptions,
    delimiters: Delimiters,
  ): MappedRecord | Promise<MappedRecord>;
  /**
   * Compose the message of a push. A record that was mapped apart is mapped there once more: its
   * items came back written.
   * @param mapped what `map` gave
   * @throws FaultError as `mapRecord` and `compose` do
   */
  compose(
    record: ReadRecord,
    options: MapOptions,
    pushing: Omit<Composing, 'record'>,
    mapped: MappedRecord,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

export interface Apart extends Mapper {
  /**
   * Read a large reply.
   * @param openingOnly of a Bundle only what `openingOf` gives
   * @throws FaultError or ThreadGone where it cannot be read
   */
  read(text: Uint8Array, openingOnly: boolean): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * @param folder of the mapping, for the thread to load
 * @param compiled the same, loaded here
 * @param died told when the thread ended by itself; the next large record starts another
 */
export function createApart(
  folder: string,
  compiled: CompiledMappings,
  died: (detail: string) => void,
): Apart {
  const file = threadFile('thread', import.meta.url);
  const thread = createThread<ApartRequest, ApartReply>(file, { folder }, faultOf, died);
  const call = async (request: ApartRequest): Promise<ApartReply> => {
    const reply = await thread.call(request);
    // What came was unpacked in this turn of the event loop; what is done with it is for another.
    await setImmediate();
    return reply;
  };
  return {
    async read(text, openingOnly) {
      return (await call({ do: 'read', text, openingOnly })).json;
    },
    map(record, options, delimiters) {
      if (!isFor(record, options)) return mapRecord(compiled, record.bundle, options);
      const request = { do: 'map', record: sent(record), options, delimiters } as const;
      return call(request).then(({ record: mapped }) => carried(mapped as MappedRecord));
    },
    compose(record, options, pushing, mapped) {
      if (!isFor(record, options)) return compose({ ...pushing, record: mapped });
      const { message, ...rest } = pushing;
      const { charset } = message;
      const bytes = message.toBytes();
      const request = { do: 'compose', record: sent(record), options, pushing: rest } as const;
      return call({ ...request, message: bytes, charset }).then((reply) => reply.bytes);
    },
    close: () => thread.stop(),
  };
}

/** Whether a record is for the thread: one that was not read here, or has as much beside it. */
function isFor({ bundle }: ReadRecord, { beside }: MapOptions): boolean {
  if (bundle === undefined) return true;
  const { html = [], documents } = beside ?? {};
  const sections = html.flatMap((section) => section.html ?? []);
  const length = sections.reduce((sum, text) => sum + text.length, 0);
  return isLarge(length + (documents && 'bundle' in documents ? documents.length : 0));
}

/** The bytes as they came, or what was read from them: one of the two is enough. */
const sent = ({ bundle, texts = [] }: ReadRecord): ReadRecord =>
  bundle === undefined ? { texts: [...texts] } : { bundle };

/** What an error of the thread means; only a fault says more than that there was one. */
export function faultOf(error: unknown): Fault {
  return error instanceof FaultError ? error.fault : { name: 'mappingFailed' };
}
