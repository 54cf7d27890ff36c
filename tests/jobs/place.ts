/** Where pages are played: a copy of the site that comes with Gatehouse, and what runs beside it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { says, start } from '../cli/process.ts';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { startMllpGp } from '../../engine/simulator/mllp-gp.ts';
import { patients, root } from '../world.ts';
import { play } from '../docs/transcript.ts';

export interface Place {
  /** Run a command as a page has it; both its outputs. */
  play(command: string): Promise<string>;
  close(): Promise<void>;
}

/** @param engine whether an engine runs on the site, and the GP side beside it */
export async function openPlace(engine: boolean): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-job-'));
  for (const name of ['channels', 'fixtures', 'mappings', 'package.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const running = engine ? await run(folder) : undefined;
  const env = {
    ...process.env,
    ...running?.env,
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'gatehouse'),
  };
  return {
    async play(command) {
      const ports = [...(running?.ports ?? [])];
      const numbered = (text: string, from: string, to: string) =>
        text.replace(new RegExp(`(?<!\\d)${from}(?!\\d)`, 'g'), to);
      const here = ports.reduce((text, [page, real]) => numbered(text, page, real), command);
      const came = (await play(here, folder, env)).replaceAll(`${folder}/`, '');
      return ports.reduce((text, [page, real]) => numbered(text, real, page), came);
    },
    async close() {
      await running?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function run(folder: string) {
  const gp = await startGpSimulator({ patients });
  const legacy = await startMllpGp({ patients });
  const env = { GATEHOUSE_GP: gp.url, GATEHOUSE_MLLP_GP: String(legacy.port) };
  const channels = join(folder, 'channels');
  const files = readdirSync(channels).filter((name) => name.endsWith('.yaml'));
  /** The port of each channel, as its file has it. */
  const documented = new Map<string, string>();
  for (const name of files) {
    const file = join(channels, name);
    const text = readFileSync(file, 'utf8');
    documented.set(name.replace('.yaml', ''), /^ {2}port: (\d+)/m.exec(text)?.[1] ?? '');
    writeFileSync(file, text.replace(/^ {2}port: \d+/m, '  port: 0'));
  }
  const serving: ChildProcess = start(['serve'], { cwd: folder, env });
  const [said] = await says(serving, new RegExp(`(?:[\\w-]+ listens on \\d+\n){${files.length}}`));
  serving.stderr?.resume();
  const ports = new Map<string, string>();
  for (const [, channel = '', port = ''] of said.matchAll(/^([\w-]+) listens on (\d+)$/gm)) {
    ports.set(documented.get(channel) ?? '', port);
  }
  const close = async () => {
    const over = once(serving, 'exit');
    serving.kill('SIGTERM');
    await over;
    await Promise.all([gp.close(), legacy.close()]);
  };
  return { env, ports, close };
}
