/**
 * The promise, with real processes: a positive acknowledgement means the message is safe, whatever
 * dies next. The server is killed with SIGKILL under load, twenty times over one journal; senders
 * do what real ones do and send again what was not acknowledged.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type GpSimulator, startGpSimulator } from '../../engine/simulator/gp.ts';
import { createSenders } from '../proof/senders.ts';
import { type Server, startServer } from '../proof/server.ts';
import { patients, qbp, root } from '../world.ts';

const lives = 20;
const feeds = 32;
const askers = 2;
const perLife = 1000;

describe('killed under load', function () {
  this.timeout(300_000);
  let folder: string;
  let gp: GpSimulator;
  let server: Server | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-kill-'));
    cpSync(join(root, 'channels'), join(folder, 'channels'), { recursive: true });
    // Nothing is pushed here, and each life starts the sooner.
    rmSync(join(folder, 'channels', 'record-push.yaml'));
    for (const name of ['adt-feed', 'gp-record']) {
      const file = join(folder, 'channels', `${name}.yaml`);
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}port: \d+/m, '  port: 0'));
    }
    for (const name of ['mappings', 'fixtures']) symlinkSync(join(root, name), join(folder, name));
    gp = await startGpSimulator({ patients });
  });
  after(async () => {
    server?.kill();
    await gp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`keeps every acknowledged message through ${lives} kills, and records whom it asked`, async () => {
    const traces = new Set<string>();
    const data = join(folder, 'data');
    const env = { GATEHOUSE_GP: gp.url };
    const feed = createSenders({ count: feeds, name: 'F', build: adt });
    const queries = createSenders({ count: askers, name: 'Q', build: query });
    const count = () => feed.acknowledged.size + queries.acknowledged.size;

    for (let life = 0; life < lives; life++) {
      server = await startServer({ site: folder, data, env }, 2);
      const before = count();
      feed.start(server.ports['adt-feed'] ?? 0);
      queries.start(server.ports['gp-record'] ?? 0);
      const more = Math.floor(Math.random() * 400);
      while (count() < before + perLife + more) {
        await new Promise((next) => setTimeout(next, 2));
      }
      server.kill();
      await server.ended;
      feed.cut();
      queries.cut();
      for (const { request } of gp.asked) {
        const trace = request.headers['ssp-traceid'];
        if (trace) traces.add(trace);
      }
    }

    const acknowledged = [...feed.acknowledged, ...queries.acknowledged];
    const journal = await openJournal({ folder: data, readOnly: true, emit: silent });
    try {
      assert.deepEqual([...feed.wrong, ...queries.wrong], []);
      const stored = await journal.list({ limit: 1_000_000 });
      const known = new Set(stored.map(({ controlId }) => controlId));
      const lost = acknowledged.filter((id) => !known.has(id));
      assert.ok(acknowledged.length >= lives * perLife);
      assert.deepEqual(lost, []);

      const recorded = new Set<string>();
      const firstAnswers = new Map<string, number>();
      for (const { id, controlId, repeatOf } of stored.filter((e) => e.channel === 'gp-record')) {
        const exchange = await journal.read(id);
        const asked = exchange?.entries.filter((e) => e.kind === 'asking') ?? [];
        for (const entry of asked) {
          const trace = /ssp-traceid: (\S+)/i.exec(Buffer.from(entry.body ?? '').toString())?.[1];
          if (!trace) continue;
          recorded.add(trace);
          // A message asked for in two exchanges is linked: nothing was asked twice unrecorded.
          if (repeatOf === null)
            firstAnswers.set(controlId ?? '', (firstAnswers.get(controlId ?? '') ?? 0) + 1);
        }
      }
      assert.ok(recorded.size > 0);
      assert.deepEqual(
        [...traces].filter((trace) => !recorded.has(trace)),
        [],
      );
      assert.deepEqual(
        [...firstAnswers].filter(([, times]) => times > 1),
        [],
      );
    } finally {
      await journal.close();
    }
  });
});

function adt(id: string): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^A08^ADT_A01|${id}|P|2.4`,
    'EVN||20260604101500',
    'PID|1||9990000018^^^NHS^NH||Example^Robin||19800101|9',
    `PD1|||Willowbeck Surgery^^Z99901|${'x'.repeat(600)}`,
    'PV1|1|E',
    '',
  ].join('\r');
}

function query(id: string): string {
  return qbp('9465701459', { 'MSH-10': id, 'QPD-4': 'ALL' });
}
