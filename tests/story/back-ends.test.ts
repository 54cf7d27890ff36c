/** The other back ends: how the look-up of the HTML view may fail, and the gateway over real sockets. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSite } from '../../engine/config/site.ts';
import { type Engine, startEngine } from '../../engine/engine.ts';
import { type EventFields, silent } from '../../engine/events.ts';
import { exchangesOf } from '../../engine/exchange.ts';
import type { FaultName } from '../../engine/faults.ts';
import type { Endpoint, LocateEndpoint, Outcome } from '../../engine/gp/port.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import { type GpSimulator, startGpSimulator } from '../../engine/simulator/gp.ts';
import { ask, patients, qbp, root } from '../world.ts';

const nel = '9465701459';

describe('where the practice does not offer the structured record', () => {
  let clock = Date.UTC(2026, 5, 4) * 1000;
  const now = () => ++clock;
  const loaded = loadSite(root).channels.find(({ channel }) => channel.channel === 'gp-record');
  const ended = (event: Outcome<Endpoint>['event'], name: FaultName): Outcome<Endpoint> => ({
    event,
    fault: { name },
    hops: [],
  });

  /** The answer where the look-up of the HTML view goes as told, and how often it was looked up. */
  async function answered(locateHtml: LocateEndpoint) {
    assert.ok(loaded);
    let lookups = 0;
    const outside = {
      trace: async () => ({
        event: 'found' as const,
        value: { nhsNumber: nel, superseded: false, practice: 'Z99908', source: 'pds' as const },
        hops: [],
      }),
      locate: async () => ended('notFound', 'practiceNotEnabled'),
      locateHtml: (async (...args) => {
        lookups += 1;
        return locateHtml(...args);
      }) satisfies LocateEndpoint,
      gateways: {},
      mllp: {},
      practiceOf: async () => undefined,
    };
    const journal = memoryJournal(now);
    const channel = { ...loaded.channel, patience: { answer: 400 } };
    const respond = exchangesOf(
      { ...loaded, channel },
      { journal, outside, emit: silent, owed: () => {}, now },
    );
    const payload = Buffer.from(qbp(nel));
    const peer = { connection: 1, address: 'test' };
    const response = await respond({ kind: 'message', payload, warnings: [] }, peer, () => {});
    assert.ok(response);
    const message = parseMessage(response.payload);
    const [stored] = await journal.list();
    return { msa: message.get('MSA-1'), fault: stored?.fault, lookups };
  }

  it('looks once more for its HTML view where the directory fails', async () => {
    const failing = async () => ended('transient', 'directoryUnavailable');
    assert.deepEqual(await answered(failing), { msa: 'AR', fault: 'GH-5013', lookups: 2 });
  });

  it('answers why the directory does not say where it is', async () => {
    const unusable = async () => ended('permanent', 'directoryEntryUnusable');
    assert.deepEqual(await answered(unusable), { msa: 'AE', fault: 'GH-4008', lookups: 1 });
    const refused = async () => ended('refused', 'lookupRejected');
    assert.equal((await answered(refused)).msa, 'AE');
  });

  it('ends at the deadline of the sender', async () => {
    const never: LocateEndpoint = (_practice, _asker, { signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve(ended('timeout', 'deadlinePassed'))),
      );
    assert.deepEqual(await answered(never), { msa: 'AR', fault: 'GH-5016', lookups: 1 });
  });
});

describe('by way of the Clinical Data Gateway, from end to end', () => {
  const secret = 'cis2-s3cret-token';
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-gateway-'));
  const said: string[] = [];
  let gp: GpSimulator;
  let engine: Engine;

  before(async () => {
    gp = await startGpSimulator({ patients, credentials: { gatewayToken: secret } });
    const env = { GATEHOUSE_GP: gp.url, GATEWAY_TOKEN: secret };
    const site = loadSite(root, env);
    for (const { channel } of site.channels) {
      channel.listen.port = 0;
      if (channel.channel !== 'gp-record') continue;
      Object.assign(channel.ask, { record: 'gateway', html: false, documents: 'off' });
      Object.assign(channel.destinations.gateway ?? {}, { accessToken: '${env:GATEWAY_TOKEN}' });
    }
    const emit = (name: string, fields?: EventFields) =>
      said.push(name, JSON.stringify(fields ?? {}));
    engine = await startEngine({ site, data: join(folder, 'data'), emit, env });
  });
  after(async () => {
    await engine.stop(1000);
    await gp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers the record with no directory asked, and keeps the token nowhere', async () => {
    const answer = await ask(engine.ports['gp-record'] ?? 0, qbp(nel, { 'QPD-4': 'ALL' }));
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.equal(answer.get('AL1-3.2'), 'Warfarin allergy');
    assert.deepEqual(
      gp.asked.map(({ system, status }) => [system, status]),
      [
        ['pds', 200],
        ['cdg', 200],
      ],
    );
    const [first] = await engine.journal.list({ limit: 1 });
    const stored = first && (await engine.journal.read(first.id));
    const asking = stored?.entries.filter(({ kind }) => kind === 'asking') ?? [];
    assert.deepEqual(
      asking.map(({ note }) => note?.to),
      ['pds', 'gateway'],
    );
    const kept = asking.map(({ body }) => Buffer.from(body ?? []).toString());
    assert.match(kept[1] ?? '', /Ods-from: R0A/);
    // The files themselves, too; a body may be stored in another form than it came in.
    const files = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true });
    const bytes = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
    assert.ok(![...kept, ...said, ...bytes].some((text) => text.includes(secret)));
  });
});
