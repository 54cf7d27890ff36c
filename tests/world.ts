/** A whole Gatehouse for a test: simulated GP side, engine on free ports, journal in a new folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Site, loadSite } from '../engine/config/site.ts';
import { type Engine, startEngine } from '../engine/engine.ts';
import { createEvents } from '../engine/log.ts';
import { type Message, parseMessage } from '../engine/hl7/message.ts';
import { type GpSimulator, startGpSimulator } from '../engine/simulator/gp.ts';
import { type MllpGp, startMllpGp } from '../engine/simulator/mllp-gp.ts';

export const root = resolve(import.meta.dirname, '..');
export const patients = join(root, 'fixtures', 'patients');

export interface World {
  gp: GpSimulator;
  legacy: MllpGp;
  engine: Engine;
  site: Site;
  data: string;
  /** Stop the engine and start another one on the same journal. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Start everything.
 * @param change edits the loaded channels before they start
 * @param records folder of the patients the GP systems have
 */
export async function startWorld(
  change: (site: Site) => void = () => {},
  records = patients,
): Promise<World> {
  const gp = await startGpSimulator({ patients: records });
  const legacy = await startMllpGp({ patients });
  const data = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  const { emit } = createEvents({ level: 'silent' });
  const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(legacy.port) };
  const site = loadSite(root, env);
  for (const { channel } of site.channels) channel.listen.port = 0;
  change(site);
  const start = () => startEngine({ site, data, emit, env });
  const world: World = {
    gp,
    legacy,
    site,
    data,
    engine: await start(),
    async restart() {
      await world.engine.stop(1000);
      world.engine = await start();
    },
    async close() {
      await world.engine.stop(1000);
      await Promise.all([gp.close(), legacy.close()]);
      rmSync(data, { recursive: true, force: true });
    },
  };
  return world;
}

/** A peer that speaks raw bytes. */
export interface RawPeer {
  socket: Socket;
  write(bytes: string | Uint8Array): void;
  /** The next frame's payload. */
  next(timeoutMs?: number): Promise<Buffer>;
  /** True once the other side has closed. */
  closed(): Promise<void>;
  end(): void;
}

/** Connect to a port of this machine. */
export async function rawPeer(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await new Promise((ready, failed) => socket.once('connect', ready).once('error', failed));
  let received = Buffer.alloc(0);
  const waiting: (() => void)[] = [];
  const wake = () => waiting.splice(0).forEach((resume) => resume());
  let over = false;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      over = true;
      wake();
    });
  }
  const change = (timeoutMs: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in time')), timeoutMs);
      waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    async next(timeoutMs = 8000) {
      for (;;) {
        const end = received.indexOf('\x1c\r');
        if (end >= 0) {
          const payload = received.subarray(received.indexOf('\x0b') + 1, end);
          received = received.subarray(end + 2);
          return payload;
        }
        if (over) throw new Error('the connection was closed without an answer');
        await change(timeoutMs);
      }
    },
    async closed() {
      while (!over) await change(8000);
    },
    end: () => void socket.end(),
  };
}

export const framed = (text: string) => `\x0b${text}\x1c\r`;

/** Send one message on a connection of its own and read its answer. */
export async function ask(port: number, text: string, timeoutMs?: number): Promise<Message> {
  const peer = await rawPeer(port);
  try {
    peer.write(framed(text));
    return parseMessage(await peer.next(timeoutMs));
  } finally {
    peer.socket.destroy();
  }
}

let serial = 0;
/** A QBP^Q11 with a control id of its own; `change` replaces fields, by path. */
export function qbp(nhsNumber: string, change: Record<string, string> = {}): string {
  const id = change['MSH-10'] ?? `T${Date.now()}${++serial}`;
  const text = [
    `MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||QBP^Q11^QBP_Q11|${id}|P|2.4|||||GBR|UNICODE UTF-8|EN`,
    `QPD|GPREC^GP Record^L|Q1|${nhsNumber}^^^NHS^NH|ALL~MED~PRB|||10019^Smith^Jo^^^Dr~JSMITH|UNK|HOSPITAL^^R0A|G||ED`,
    'RCP|I',
    '',
  ].join('\r');
  const message = parseMessage(Buffer.from(text));
  for (const [path, value] of Object.entries(change)) message.setRaw(path, value);
  return message.toBytes().toString('utf8');
}

/** The segments of a message with this name, as sent. */
export function segments(message: Message, name: string): string[] {
  return Array.from(
    { length: message.count(name) },
    (_, i) => message.raw(`${name}[${i + 1}]`) ?? '',
  );
}
