import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFhir } from '../../engine/gp/json.ts';
import { datasets } from '../../engine/gp/port.ts';
import { createMapper } from '../../engine/mapping/apart.ts';
import { mapRecord } from '../../engine/mapping/apply.ts';
import { loadMappings } from '../../engine/mapping/load.ts';
import { root } from '../world.ts';

const folder = join(root, 'mappings', 'gp-record');
const compiled = loadMappings(folder);
const options = {
  datasets,
  profile: 'rsp',
  version: '2.4',
  now: new Date(0),
  site: { patientClass: 'O', diagnosisType: 'W', unknownStatus: 'F' },
} as const;

interface Bundle {
  entry: { resource: { id?: string; resourceType: string } }[];
}

/** The fixture patient's record in so many bytes: other entries, which no list names, beside it. */
function large(bytes: number): Buffer {
  const text = readFileSync(join(root, 'fixtures', 'patients', '9465701459.json'), 'utf8');
  const bundle = JSON.parse(text) as Bundle;
  const own = [...bundle.entry];
  for (let n = 0; JSON.stringify(bundle).length < bytes; n++) {
    for (const { resource } of own) {
      if (resource.resourceType === 'List' || resource.resourceType === 'Patient') continue;
      bundle.entry.push({ resource: { ...resource, id: `copy-${n}-${resource.id}` } });
    }
  }
  return Buffer.from(JSON.stringify(bundle));
}

/** As it travels: what is not there is not there, however it is written. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe('a large record', () => {
  const died: string[] = [];
  const mapper = createMapper(folder, compiled, (detail) => died.push(detail));
  after(() => mapper.close());

  it('is mapped in a thread of its own to the same segments, and others are served meanwhile', async () => {
    const bytes = large(600_000);
    const bundle = parseFhir(bytes.toString());
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    const apart = mapper.map({ bundle, texts: [bytes] }, options);
    assert.ok(apart instanceof Promise);
    const there = await apart;
    clearInterval(turning);
    assert.deepEqual(plain(there), plain(mapRecord(compiled, bundle, options)));
    assert.ok(turns > 0, 'nothing else ran while it was mapped');
    assert.deepEqual(died, []);
  });

  it('is read whole where it came in two Bundles', async () => {
    const first = large(300_000);
    const second = Buffer.from('{"resourceType":"Bundle","type":"collection","entry":[]}');
    const bundle = parseFhir(first.toString());
    const there = await mapper.map({ bundle, texts: [first, second] }, options);
    assert.deepEqual(plain(there), plain(mapRecord(compiled, bundle, options)));
  });

  it('that is small is mapped at once', () => {
    const bytes = large(1);
    const made = mapper.map({ bundle: parseFhir(bytes.toString()), texts: [bytes] }, options);
    assert.ok(!(made instanceof Promise));
  });
});
