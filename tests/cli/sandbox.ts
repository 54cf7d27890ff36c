/**
 * Everything the examples of the commands speak of, in a folder of its own: a site, a journal with
 * exchanges of every kind, an engine that runs on it, the GP side and a receiver.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../engine/events.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { authority, certificate } from '../mllp/certificates.ts';
import { acknowledge, startReceiver } from '../outbound/receiver.ts';
import { ask, patients, root } from '../world.ts';
import { adt, until } from './delivering.ts';
import { called, jsonOf, says, start } from './process.ts';

export interface Sandbox {
  /** A site whose engine runs on its `data`, under its second revision. */
  running: string;
  /** The same site and journal, on which no engine runs. */
  stopped: string;
  /** The journal of that with so many messages more that it is asked before they are read. */
  large: string;
  /** The same site without a journal. */
  bare: string;
  /** A port as the documentation has it, and the one that stands for it here. */
  ports: ReadonlyMap<string, string>;
  /** The key of the journal, by its name. */
  key: string;
  /** An exchange that was delivered to `adt-feed/epr`, two that are parked, one that was rejected. */
  ids: { delivered: string; parked: string; another: string; rejected: string };
  /** Edit the files of the running site so that they say what does not run. */
  edit(): void;
  /** Edit them so that they say what its second revision said. */
  unedit(): void;
  close(): Promise<void>;
}

/** What must never be seen of the patients of the sandbox. */
export const personal = ['9990000026', '9990000018', '9465701459', 'Wierzba', 'Tomasz', 'Morris'];

export async function startSandbox(): Promise<Sandbox> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sandbox-'));
  const names = ['running', 'stopped', 'large', 'bare'];
  const [running, stopped, large, bare] = names.map((name) => join(folder, name));
  if (!running || !stopped || !large || !bare) throw new Error('no folders');
  const receiver = await startReceiver();
  receiver.react = (message) => {
    const code = message.get('PV1-2') === 'O' ? 'AE' : 'AA';
    return acknowledge(message, code);
  };
  const gp = await startGpSimulator({ patients });
  const legacy = await startMllpGp({ patients });
  const env = {
    GATEHOUSE_GP: gp.url,
    GATEHOUSE_MLLP_GP: String(legacy.port),
    EPR_PORT: String(receiver.port),
  };
  await makeSite(bare);
  cpSync(bare, running, { recursive: true });
  let [engine, ports] = await serve(running, env);
  const port = (channel: string) => Number(ports.get(channel));
  const send = async (channel: string, message: string) => ask(port(channel), message);

  await send('adt-feed', adt('D1'));
  await send('adt-feed', adt('P1', '9990000026').replace('PV1|1|E', 'PV1|1|O'));
  await send('adt-feed', adt('P2', '9990000026').replace('PV1|1|E', 'PV1|1|O'));
  // Nobody listens where the laboratory would be.
  await send('adt-feed', adt('L1').replace('PV1|1|E', 'PV1|1|N'));
  await receiver.arrived(4);
  const query = readFileSync(join(root, 'fixtures', 'gp-record', 'qbp-q11.hl7'), 'latin1');
  await send('gp-record', query);
  await send('gp-record', query.replace('9465701459', '9465701458').replace('|M1|', '|M2|'));
  const data = join(running, 'data');
  const ids = { delivered: '', parked: '', another: '', rejected: '' };
  await until(async () => {
    const { stdout } = await called(['message', 'list', '--data', data, '-o', 'json']);
    const { exchanges } = jsonOf<{ exchanges: { id: string; controlId: string; state: string }[] }>(
      stdout,
      'exchanges',
    );
    ids.delivered = exchanges.find(({ controlId }) => controlId === 'D1')?.id ?? '';
    ids.parked = exchanges.find(({ controlId }) => controlId === 'P1')?.id ?? '';
    ids.another = exchanges.find(({ controlId }) => controlId === 'P2')?.id ?? '';
    ids.rejected = exchanges.find(({ state }) => state === 'rejected')?.id ?? '';
    const { stdout: letters } = await called(['queue', 'list', '--data', data, '-o', 'ndjson']);
    return Object.values(ids).every(Boolean) && /"parked":2/.test(letters);
  }, 'everything is stored');
  const { stdout } = await called(['key', 'list', '--data', data, '-o', 'json']);
  const [{ key } = { key: '' }] = jsonOf<{ keys: { key: string }[] }>(stdout, 'keys').keys;
  await end(engine);
  cpSync(running, stopped, { recursive: true });
  cpSync(running, large, { recursive: true });
  await fill(join(large, 'data'));
  describeAs(running, 'the second revision');
  [engine, ports] = await serve(running, env);
  return {
    ...{ running, stopped, large, bare, key, ids },
    ports: new Map([
      ['2575', ports.get('gp-record') ?? ''],
      ['2577', ports.get('adt-feed') ?? ''],
      ['8480', new URL(gp.url).port],
      ['2579', String(receiver.port)],
    ]),
    edit: () => describeAs(running, 'what does not run yet'),
    unedit: () => describeAs(running, 'the second revision'),
    async close() {
      await end(engine);
      await Promise.all([gp.close(), legacy.close(), receiver.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** More messages than are searched through without a question. */
async function fill(data: string): Promise<void> {
  const journal = await openJournal({ folder: data, emit: silent });
  const entries = Array.from({ length: 1001 }, () => {
    const id = journal.mint();
    const body = Buffer.from('MSH|^~\\&|A|B|C|D|20260604101500||ADT^A01|1|P|2.4\r');
    return journal.append(id, 'adt-feed', [{ kind: 'received', at: id, body }], {});
  });
  await Promise.all(entries);
  await journal.close();
}

/** Change what one channel says of itself. */
function describeAs(site: string, text: string): void {
  const file = join(site, 'channels', 'record-push.yaml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(/^description: .*$/m, `description: ${text}`));
}

/** So many cases are enough for what plays all of them. */
const cases = ['allergies.case', 'problems.case'];

/** The site that comes with Gatehouse, on free ports, with destinations for its ADT. */
async function makeSite(folder: string): Promise<void> {
  mkdirSync(folder);
  for (const name of ['channels', 'fixtures', 'mappings']) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (file) => !file.endsWith('.case') || cases.some((one) => file.endsWith(`/${one}`)),
    });
  }
  const channels = join(folder, 'channels');
  for (const name of readdirSync(channels).filter((one) => one.endsWith('.yaml'))) {
    const file = join(channels, name);
    const text = readFileSync(file, 'utf8').replace(/^ {2}port: 25\d+/m, '  port: 0');
    const more = name === 'adt-feed.yaml' ? delivering : '';
    const secured =
      name === 'record-push.yaml' ? text.replace(/port: 0$/m, `port: 0\n${tls}`) : text;
    writeFileSync(file, `${secured}${more}`);
  }
  const ca = await authority('Trust CA');
  for (const name of ['channels/far-side', 'new']) {
    const { cert, key } = await certificate(ca, 'localhost');
    writeFileSync(join(folder, `${name}.pem`), cert);
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  }
}

const tls = '  tls: { certificate: far-side.pem, key: far-side.key }';

const delivering = `
destinations:
  epr:
    kind: feed
    port: \${env:EPR_PORT:-2579}
    timeout: 2s
    refused: { AE: park, unreadable: park }
  laboratory: { kind: feed, port: 1 }
deliver: [{ to: epr }, { to: laboratory, when: { PV1-2: [N] } }]
`;

/** Start an engine; the ports of its channels. */
async function serve(
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<[ChildProcess, Map<string, string>]> {
  const engine = start(['serve'], { cwd: folder, env });
  const count = readdirSync(join(folder, 'channels')).filter((f) => f.endsWith('.yaml')).length;
  const [said] = await says(engine, new RegExp(`(?:[\\w-]+ listens on \\d+\n){${count}}`));
  // Nobody reads on, and a full pipe would stop it.
  engine.stderr?.resume();
  const lines = [...said.matchAll(/^([\w-]+) listens on (\d+)$/gm)];
  return [engine, new Map(lines.map(([, channel = '', port = '']) => [channel, port]))];
}

async function end(engine: ChildProcess): Promise<void> {
  const over = once(engine, 'exit');
  engine.kill('SIGTERM');
  await over;
}
