/** The thread that reads, maps and writes large records. */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { oneBundle, openingOf } from '../gp/bundle.ts';
import { readFhir } from '../gp/json.ts';
import { parseMessage } from '../hl7/message.ts';
import { mapRecord } from '../mapping/apply.ts';
import { type CompiledMappings, loadMappings } from '../mapping/load.ts';
import type { MappedRecord } from '../mapping/mapped.ts';
import type { MapOptions } from '../mapping/scope.ts';
import { toCarry } from '../mapping/written.ts';
import { compose } from '../push/message.ts';
import { answerRequests } from '../thread.ts';
import { type ApartReply, type ApartRequest, type ReadRecord, faultOf } from './apart.ts';

// On Linux this is the nice value of the calling thread alone: where cores are short, the small messages
// of everybody else go first, and a large record still gets its share. Elsewhere it would be that of
// the whole process.
if (process.platform === 'linux') setPriority(5);
const { folder } = workerData as { folder: string };
let compiled: CompiledMappings | undefined;

answerRequests<ApartRequest, ApartReply>((request) => {
  switch (request.do) {
    case 'read': {
      const json = readFhir(request.text);
      return { json: request.openingOnly ? openingOf(json) : json };
    }
    case 'map': {
      const { record, options, delimiters } = request;
      return { record: toCarry(map(record, options), delimiters) };
    }
    case 'compose': {
      const { record, options, pushing, charset } = request;
      const message = parseMessage(request.message, { charset });
      return { bytes: compose({ ...pushing, message, record: map(record, options) }) };
    }
  }
}, faultOf);

function map({ bundle, texts }: ReadRecord, options: MapOptions): MappedRecord {
  compiled ??= loadMappings(folder);
  return mapRecord(compiled, bundle ?? oneBundle((texts ?? []).map(readFhir)), options);
}
