/** A site of ADT channels in a folder of its own, and an engine on it: it starts in a moment. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Site, loadSite } from '../../engine/config/site.ts';
import { type Engine, startEngine } from '../../engine/engine.ts';
import type { Emit, EventFields, EventName } from '../../engine/events.ts';
import { root } from '../world.ts';

export interface SmallSite {
  folder: string;
  data: string;
  engine: Engine;
  events: { name: EventName; fields: EventFields }[];
  /** Write a file of the site. */
  write(name: string, text: string): void;
  remove(name: string): void;
  load(): Site;
  /** Start the engine. @param env where secrets are looked up */
  start(env?: Record<string, string>): Promise<Engine>;
  close(): Promise<void>;
}

/** What an ADT channel says at least; `more` is further YAML. */
export function adtChannel(name: string, more = '', listen = '{ port: 0 }'): string {
  return `channel: ${name}
listen: ${listen}
us: { application: GATEHOUSE, facility: RECGW }
accepts: [ADT^A01, ADT^A08]
senders: [{ application: MILLENNIUM, facility: R0A }]
route: adt
keep: 90d
${more}`;
}

/** Where messages go on to. */
export function delivered(port: number, more = ''): string {
  return `destinations:
  epr: { kind: feed, port: ${port}, timeout: 400ms, backoff: { first: 20ms, most: 80ms }${more} }
deliver: [{ to: epr }]
`;
}

/** @param channels the text of each channel file, by its name */
export function smallSite(channels: Record<string, string>): SmallSite {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-small-'));
  const data = join(folder, 'data');
  const events: SmallSite['events'] = [];
  const emit: Emit = (name, fields = {}) => void events.push({ name, fields });
  let env: Record<string, string> = {};
  mkdirSync(join(folder, 'channels', 'routes'), { recursive: true });
  const route = join('channels', 'routes', 'adt.yaml');
  cpSync(join(root, route), join(folder, route));
  const site: SmallSite = {
    folder,
    data,
    events,
    engine: undefined as unknown as Engine,
    write: (name, text) => writeFileSync(join(folder, name), text),
    remove: (name) => rmSync(join(folder, name)),
    load: () => {
      const loaded = loadSite(folder, env);
      const [first] = loaded.findings.filter(({ severity }) => severity === 'error');
      if (first) throw new Error(`${first.where} ${first.says}`);
      return loaded;
    },
    async start(known = {}) {
      env = known;
      const load = site.load;
      site.engine = await startEngine({ site: load(), data, emit, env, load });
      return site.engine;
    },
    async close() {
      await (site.engine as Engine | undefined)?.stop(500);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const [name, text] of Object.entries(channels)) {
    site.write(join('channels', `${name}.yaml`), text);
  }
  return site;
}

/** An ADT message of a patient. */
export function adt(id: string, patient = '9990000018'): string {
  return [
    `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^A08^ADT_A01|${id}|P|2.4`,
    'EVN||20260604101500',
    `PID|1||${patient}^^^NHS^NH||Wierzba^Tomasz`,
    'PV1|1|E',
    '',
  ].join('\r');
}

/** Wait until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const started = Date.now(); !(await holds());) {
    if (Date.now() - started > 8000) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
