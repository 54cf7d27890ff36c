/**
 * The promise, with real processes: a positive acknowledgement means the message is safe, whatever
 * dies next. The server is killed with SIGKILL under load, twenty times over one journal; senders
 * do what real ones do and send again what was not acknowledged.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type GpSimulator, startGpSimulator } from '../../engine/simulator/gp.ts';
import { framed, patients, qbp, root } from '../world.ts';

const lives = 20;
const feeds = 32;
const askers = 2;
const perLife = 1000;

describe('killed under load', function () {
  this.timeout(110_000);
  let folder: string;
  let gp: GpSimulator;
  let server: ChildProcess | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-kill-'));
    cpSync(join(root, 'channels'), join(folder, 'channels'), { recursive: true });
    for (const name of ['adt-feed', 'gp-record']) {
      const file = join(folder, 'channels', `${name}.yaml`);
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}port: \d+/m, '  port: 0'));
    }
    for (const name of ['mappings', 'fixtures']) symlinkSync(join(root, name), join(folder, name));
    gp = await startGpSimulator({ patients });
  });
  after(async () => {
    server?.kill('SIGKILL');
    await gp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<Record<string, number>> {
    const data = join(folder, 'data');
    const child = spawn(
      process.execPath,
      ['bin/gatehouse', 'serve', '--site', folder, '--data', data],
      {
        cwd: root,
        env: {
          ...process.env,
          GATEHOUSE_GP: gp.url,
          NODE_COMPILE_CACHE: join(folder, 'compiled'),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    server = child;
    let said = '';
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const ports = [...said.matchAll(/^(\S+) listens on (\d+)$/gm)];
        if (ports.length === 2)
          resolve(Object.fromEntries(ports.map(([, n, p]) => [n, Number(p)])));
      });
    });
  }

  it(`keeps every acknowledged message through ${lives} kills, and records whom it asked`, async () => {
    const acknowledged = new Set<string>();
    const traces = new Set<string>();
    const queues = Array.from({ length: feeds }, (_, n) => sender(`F${n}`, adt, acknowledged));
    const queries = Array.from({ length: askers }, (_, n) => sender(`Q${n}`, query, acknowledged));

    for (let life = 0; life < lives; life++) {
      const ports = await start();
      const before = acknowledged.size;
      const sockets = [
        ...queues.map((run) => run(ports['adt-feed'] ?? 0)),
        ...queries.map((run) => run(ports['gp-record'] ?? 0)),
      ];
      const more = Math.floor(Math.random() * 400);
      while (acknowledged.size < before + perLife + more) {
        await new Promise((next) => setTimeout(next, 2));
      }
      const dead = new Promise((resolve) => server?.once('exit', resolve));
      server?.kill('SIGKILL');
      await dead;
      sockets.forEach((socket) => socket.destroy());
      for (const { request } of gp.asked) {
        const trace = request.headers['ssp-traceid'];
        if (trace) traces.add(trace);
      }
    }

    const journal = await openJournal({
      folder: join(folder, 'data'),
      readOnly: true,
      emit: silent,
    });
    try {
      const stored = await journal.list({ limit: 1_000_000 });
      const known = new Set(stored.map(({ controlId }) => controlId));
      const lost = [...acknowledged].filter((id) => !known.has(id));
      assert.ok(acknowledged.size >= lives * perLife);
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

/** A sender with one message in flight; after a cut it sends the same bytes again. */
function sender(name: string, build: (id: string) => string, acknowledged: Set<string>) {
  let number = 0;
  let id = `${name}-0`;
  let bytes = Buffer.from(framed(build(id)));
  return (port: number): Socket => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    socket.on('connect', () => socket.write(bytes));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!received.includes('\x1c\r')) return;
      const [, code, msa2] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(received) ?? [];
      received = '';
      assert.equal(msa2, id);
      if (code === 'AA') acknowledged.add(id);
      id = `${name}-${++number}`;
      bytes = Buffer.from(framed(build(id)));
      socket.write(bytes);
    });
    return socket;
  };
}

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
