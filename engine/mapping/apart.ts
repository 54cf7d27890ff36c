/**
 * Large records are read and mapped in a thread of their own: while one is, everybody else's small
 * messages are answered. A small one costs less than the way to the thread and back.
 */
import { FaultError } from '../faults.ts';
import type { Fault } from '../faults.ts';
import { createThread } from '../thread.ts';
import { mapRecord } from './apply.ts';
import type { CompiledMappings } from './load.ts';
import type { MappedRecord } from './mapped.ts';
import type { MapOptions } from './scope.ts';

/** What the thread is asked: the Bundles as they came, and the options. */
export interface MapRequest {
  texts: Uint8Array[];
  options: MapOptions;
}

export interface Mapper {
  /**
   * Map a record, here or apart.
   * @param record its Bundle, and the bytes it came in
   * @throws FaultError as `mapRecord` does
   */
  map(
    record: { bundle: unknown; texts?: readonly Uint8Array[] },
    options: MapOptions,
  ): MappedRecord | Promise<MappedRecord>;
  close(): Promise<void>;
}

/** From this many bytes of JSON on: about five milliseconds of reading and mapping. */
const largeBytes = 256 * 1024;

/**
 * @param folder of the mapping, for the thread to load
 * @param compiled the same, loaded here
 * @param died told when the thread ended by itself; the next large record starts another
 */
export function createMapper(
  folder: string,
  compiled: CompiledMappings,
  died: (detail: string) => void,
): Mapper {
  const thread = createThread<MapRequest, MappedRecord>(fileOfThread(), { folder }, faultOf, died);
  return {
    map({ bundle, texts = [] }, options) {
      const bytes = texts.reduce((sum, { length }) => sum + length, 0);
      if (bytes < largeBytes) return mapRecord(compiled, bundle, options);
      return thread.call({ texts: [...texts], options });
    },
    close: () => thread.stop(),
  };
}

/** What an error of a mapping means; only a fault says more than that there was one. */
export function faultOf(error: unknown): Fault {
  return error instanceof FaultError ? error.fault : { name: 'mappingFailed' };
}

function fileOfThread(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./thread.${extension}`, import.meta.url);
}
