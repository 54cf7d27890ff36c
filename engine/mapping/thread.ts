/** The thread that reads and maps large records. */
import { workerData } from 'node:worker_threads';
import { oneBundle } from '../gp/bundle.ts';
import { parseFhir } from '../gp/json.ts';
import { answerRequests } from '../thread.ts';
import { type MapRequest, faultOf } from './apart.ts';
import { mapRecord } from './apply.ts';
import { type CompiledMappings, loadMappings } from './load.ts';
import type { MappedRecord } from './mapped.ts';

const { folder } = workerData as { folder: string };
const utf8 = new TextDecoder();
let compiled: CompiledMappings | undefined;

answerRequests<MapRequest, MappedRecord>(({ texts, options }) => {
  compiled ??= loadMappings(folder);
  const bundle = oneBundle(texts.map((text) => parseFhir(utf8.decode(text))));
  return mapRecord(compiled, bundle, options);
}, faultOf);
