/** A `gatehouse serve` of its own that delivers an ADT feed to a receiver, and commands against it. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Receiver, startReceiver } from '../outbound/receiver.ts';
import { ask, root } from '../world.ts';
import { type Ended, called, jsonOf, says, start } from './process.ts';

export interface Delivering {
  receiver: Receiver;
  folder: string;
  /** Folder of the journal. */
  data: string;
  /** Everything the engines logged. */
  log(): string;
  /** Start the engine, and wait until it listens. */
  serve(env?: NodeJS.ProcessEnv): Promise<ChildProcess>;
  /** End it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** The port of a channel. */
  port(channel: string): number;
  /** Send a message to a channel; its MSA-1. */
  send(message: string, channel?: string): Promise<string | undefined>;
  /** Run a command on this journal. */
  run(...args: string[]): Promise<Ended>;
  /** Run it with `-o json`. */
  json<T>(kind: string, ...args: string[]): Promise<T>;
  close(): Promise<void>;
}

/** @param data folder of the journal, below the site's unless told */
export async function startDelivering(data?: string): Promise<Delivering> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-delivering-'));
  const receiver = await startReceiver();
  const channels = join(folder, 'channels');
  cpSync(join(root, 'channels'), channels, { recursive: true });
  for (const shipped of ['adt-feed.yaml', 'record-push.yaml']) rmSync(join(channels, shipped));
  // Its GP side is not there: nobody is asked, which is all that is needed of a query here.
  const query = readFileSync(join(channels, 'gp-record.yaml'), 'utf8');
  writeFileSync(join(channels, 'gp-record.yaml'), query.replace('port: 2575', 'port: 0'));
  writeFileSync(join(channels, 'adt.yaml'), feed(receiver.port));
  cpSync(join(root, 'mappings'), join(folder, 'mappings'), { recursive: true });
  let child: ChildProcess | undefined;
  let log = '';
  const ports: Record<string, number> = {};
  const one: Delivering = {
    receiver,
    folder,
    data: data ?? join(folder, 'data'),
    log: () => log,
    async serve(env = {}) {
      const serving = start(['serve', '--site', folder, '--data', one.data], { env });
      child = serving;
      serving.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
      const found = await says(serving, /adt listens on (\d+)\ngp-record listens on (\d+)\n/);
      Object.assign(ports, { adt: Number(found[1]), 'gp-record': Number(found[2]) });
      return serving;
    },
    async end(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
    port: (channel) => ports[channel] ?? 0,
    async send(message, channel = 'adt') {
      return (await ask(one.port(channel), message)).get('MSA-1');
    },
    run: (...args) => called([...args, '--data', one.data]),
    async json<T>(kind: string, ...args: string[]) {
      const { stdout, stderr } = await one.run(...args, '-o', 'json');
      assert.ok(stdout, stderr);
      return jsonOf<T>(stdout, kind);
    },
    async close() {
      await one.end('SIGKILL');
      await receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return one;
}

const feed = (port: number) => `channel: adt
listen: { port: 0 }
us: { application: GATEHOUSE, facility: RECGW }
accepts: [ADT^A01, ADT^A08]
senders: [{ application: MILLENNIUM, facility: R0A }]
route: adt
keep: 90d
destinations:
  epr:
    kind: feed
    port: ${port}
    timeout: 400ms
    # Long: where something is tried again in a test, it is because a person says so.
    backoff: { first: 20s, most: 60s }
    refused: { AE: park, unreadable: park }
deliver:
  - { to: epr }
`;

/** An ADT message of a patient. */
export function adt(id: string, patient = '9990000018', more = '', event = 'A08'): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^${event}^ADT_A01|${id}|P|2.4`,
    'EVN||20260604101500',
    `PID|1||${patient}^^^NHS^NH||Wierzba^Tomasz`,
    `PV1|1|E${more}`,
    '',
  ].join('\r');
}

/** Wait until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const started = Date.now(); !(await holds());) {
    if (Date.now() - started > 10_000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
