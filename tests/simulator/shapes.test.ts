/** What the simulator sends holds no element that the real systems' published replies do not have. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { scenarios } from '../../engine/simulator/scenarios.ts';
import * as caller from './caller.ts';

const real = join(caller.root, '../shared/data/gpconnect');
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Element paths of a resource, without indexes; extensions by the last part of their url. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => pathsOf(inner, path));
  if (typeof value !== 'object' || value === null) return [path];
  const url = caller.at(value, 'url');
  const here =
    typeof url === 'string' && path.endsWith('xtension')
      ? `${path}(${url.split('/').at(-1)})`
      : path;
  return Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, `${here}.${name}`));
}

/** Element paths of every resource in folders of real replies; Bundles give those inside too. */
function realPaths(...folders: string[]): Set<string> {
  const paths = new Set<string>();
  for (const folder of folders) {
    for (const file of readdirSync(join(real, folder))) {
      let value: unknown;
      try {
        value = readJson(join(real, folder, file));
      } catch {
        continue;
      }
      const inside = caller.listAt(value, 'entry').map((entry) => caller.at(entry, 'resource'));
      for (const resource of [value, ...inside]) {
        for (const path of pathsOf(resource, typeOf(resource))) paths.add(path);
      }
    }
  }
  return paths;
}

const typeOf = (resource: unknown): string => String(caller.at(resource, 'resourceType'));

describe('simulator: shapes', () => {
  before(function () {
    if (existsSync(real)) return;
    console.log('      skipped: ../shared/data/gpconnect is not here');
    this.skip();
  });

  it('of the records', () => {
    const seen = realPaths('structured', 'resources');
    // The specification has these; no published reply happens to.
    const specified =
      /\(authorisationExpiryDate\)|reaction\.manifestation.*\(descriptionDisplay\)|reportOrigin|notGivenReason\.text|Observation\.valueDateTime|ProcedureRequest\.reasonCode/;
    const foreign = readdirSync(caller.patients)
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => caller.listAt(readJson(join(caller.patients, file)), 'entry'))
      .map((entry) => caller.at(entry, 'resource'))
      .flatMap((resource) => pathsOf(resource, typeOf(resource)))
      .filter((path) => !seen.has(path) && !specified.test(path));
    assert.deepEqual([...new Set(foreign)], []);
  });

  it('of PDS and SDS', async () => {
    const sim = await caller.start();
    try {
      const headers = { 'x-request-id': randomUUID() };
      const interaction = `https://fhir.nhs.uk/Id/nhsServiceInteractionId|${caller.structured}`;
      const query = new URLSearchParams({
        organization: 'https://fhir.nhs.uk/Id/ods-organization-code|Z99901',
        identifier: interaction,
      });
      const replies = [
        await caller.call(`${sim.pds}/Patient/${caller.nel}`, { headers }),
        await caller.call(`${sim.pds}/Patient/9990000115`, { headers }),
        await caller.call(`${sim.sds}/Endpoint?${query}`),
        await caller.call(`${sim.sds}/Device?${query}`),
      ];
      const seen = realPaths('patients', 'sds', 'searchsets');
      const foreign = replies
        .flatMap(({ json }) => pathsOf(json, typeOf(json)))
        .filter((path) => !seen.has(path));
      assert.deepEqual(foreign, []);
    } finally {
      await sim.close();
    }
  });

  it('of errors: every one of them, in one of the real coding systems', async () => {
    const sim = await caller.start();
    const seen = realPaths('errors');
    const systems = new Set(
      readdirSync(join(real, 'errors'))
        .map((file) => readJson(join(real, 'errors', file)))
        .map((outcome) => caller.at(outcome, 'issue.0.details.coding.0.system')),
    );
    try {
      let checked = 0;
      for (const [name, { at }] of scenarios) {
        if (at !== 'provider' && at !== 'proxy') continue;
        sim.set(caller.nel, { name: name as 'unreachable' });
        const reply = await caller.ask(sim);
        if (reply.status < 400 || typeOf(reply.json) !== 'OperationOutcome') continue;
        const foreign = pathsOf(reply.json, 'OperationOutcome').filter((path) => !seen.has(path));
        assert.deepEqual(foreign, [], name);
        assert.ok(systems.has(caller.at(reply.json, 'issue.0.details.coding.0.system')), name);
        checked++;
      }
      assert.ok(checked > 25);
    } finally {
      await sim.close();
    }
  });
});
