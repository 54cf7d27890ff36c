/** `gatehouse demo`: the engine, a simulated GP side and one hospital query, on this machine alone. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Site } from '../../engine/config/site.ts';
import { type Engine, startEngine } from '../../engine/engine.ts';
import { createEvents } from '../../engine/log.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { exchangeName } from '../../engine/journal/journal.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { exits } from './exits.ts';
import { connectTo } from './mllp.ts';
import { story } from './message.ts';
import { print, style } from './output.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { ownFolder } from './own-folder.ts';
import { soundSite } from './sites.ts';
import { stopped } from './stopped.ts';

/** Run the demo; keeps listening afterwards unless told `--once`. A folder of its own does not stay. */
export async function demo(options: { once?: boolean; data?: string }): Promise<number> {
  // Heard from the start: whoever ends it early leaves nothing behind, either.
  const asked = stopped();
  if (options.data) return play(resolve(options.data), options.once ? undefined : asked);
  const data = mkdtempSync(join(tmpdir(), 'gatehouse-demo-'));
  const forget = () => rmSync(data, { recursive: true, force: true, maxRetries: 3 });
  // Where the reader of the output goes away, the process ends at once.
  process.once('exit', forget);
  try {
    return await play(data, options.once ? undefined : asked);
  } finally {
    process.off('exit', forget);
    forget();
  }
}

/** @param until ends it; after the answer where nothing is awaited */
async function play(data: string, until: Promise<void> | undefined): Promise<number> {
  const root = ownFolder();
  const events = createEvents({ level: 'error' });
  const patients = join(root, 'fixtures', 'patients');
  const gp = await startGpSimulator({ patients, emit: events.emit });
  const legacy = await startMllpGp({ patients, emit: events.emit });
  let engine: Engine | undefined;
  try {
    const site = soundSite(root, {
      ...process.env,
      GATEHOUSE_GP: gp.url,
      GATEHOUSE_MLLP_GP: String(legacy.port),
    });
    engine = await startEngine({ site: await freePorts(site), data, emit: events.emit });
    const port = engine.ports['gp-record'] ?? 0;
    const query = readFileSync(join(root, 'fixtures', 'gp-record', 'qbp-q11.hl7'));
    const hospital = connectTo({ host: '127.0.0.1', port }, 20_000);
    const sent = parseMessage(query);
    title('The hospital asks');
    print(segments(segmentLines(sent)));
    const reply = await hospital.ask(query, sent.raw('MSH-10') ?? '', AbortSignal.timeout(20_000));
    hospital.close();
    const [exchange] = await engine.journal.list({ channel: 'gp-record', limit: 1 });
    const stored = exchange && (await engine.journal.read(exchange.id));
    title('What Gatehouse did');
    if (stored) print(story(stored));
    title('The hospital is answered');
    print(segments(segmentLines(parseMessage(reply))));
    if (until === undefined) return exits.ok;
    title('Now it is your turn');
    print(
      `Gatehouse listens for queries on 127.0.0.1:${port} and for ADT on 127.0.0.1:${engine.ports['adt-feed']}.`,
    );
    print(`Send one of your own from another terminal:\n`);
    print(`  npx gatehouse send fixtures/gp-record/qbp-q11.hl7 --to 127.0.0.1:${port} --new-id`);
    print(`  npx gatehouse message list --data ${data}`);
    if (exchange)
      print(`  npx gatehouse message explain ${exchangeName(exchange.id)} --data ${data}`);
    print('\nThe patients of the simulator are in fixtures/patients. Ctrl-C ends the demo.');
    await until;
    return exits.ok;
  } finally {
    await engine?.stop(1000);
    await Promise.all([gp.close(), legacy.close()]);
  }
}

/** The ports of the channel files where they are free, else any. */
async function freePorts(site: Site): Promise<Site> {
  for (const { channel } of site.channels) {
    const { host, port } = channel.listen;
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, host, () => probe.close(() => resolve(true)));
    });
    if (!free) channel.listen.port = 0;
  }
  return site;
}

function title(text: string): void {
  print(`\n${style('bold', text)}\n`);
}

/** Segment names in colour, long lines as they are. */
function segments(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${style('cyan', line.slice(0, 3))}${line.slice(3)}`)
    .join('\n');
}
