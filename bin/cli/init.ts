/** `gatehouse init`: a new site that answers a first query. */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { shortPath } from '../../engine/config/yaml.ts';
import { addChannel } from './add-channel.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print, say } from './output.ts';
import { ownFolder } from './own-folder.ts';
import { siteFiles } from './site-files.ts';
import { bring } from './templates.ts';

interface InitOptions {
  empty?: boolean;
  schemas?: boolean;
  dryRun?: boolean;
  output: Form;
}

/** What every site begins with, beside its channels. */
const shipped = ['channels/routes', 'mappings/gp-record', 'mappings/tables'];

/**
 * Make a site. @returns 1 where a file is there already that would be written: then none is
 * @param folder is made where it is not there
 */
export async function init(folder: string, options: InitOptions): Promise<number> {
  const root = resolve(folder);
  const command = [process.execPath, realpathSync(process.argv[1] ?? 'gatehouse')];
  const all = siteFiles({ root, command });
  const files = options.schemas ? all.filter(([name]) => name.startsWith('schemas/')) : all;
  const there = [...files.map(([name]) => name), 'channels'].filter((name) =>
    existsSync(join(root, name)),
  );
  if (there.length > 0 && !options.schemas) {
    const says = `${folder} has ${there.join(', ')} already; nothing was written`;
    const next = 'name an empty folder; in a site that is there: gatehouse channel add';
    throw new CommandError(says, next, exits.failed);
  }
  const created = files.map(([name]) => name);
  if (!options.dryRun) {
    for (const [name, text] of files) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  }
  if (!options.schemas) {
    created.push(...(options.dryRun ? shipped : bring(root, shipped)));
    if (!options.empty) created.push(...(await channels(root, options.dryRun === true)));
  }
  const told = { site: root, created, dryRun: options.dryRun === true };
  printOne(options.output, 'site', told, () => {
    for (const name of created) print(`${options.dryRun ? 'would create' : 'created'} ${name}`);
  });
  if (options.dryRun || options.schemas) return exits.ok;
  tellNext(root, options.empty === true);
  return exits.ok;
}

async function channels(root: string, dryRun: boolean): Promise<string[]> {
  const created: string[] = [];
  for (const [template, port] of [['gp-record', 2575] as const, ['adt-feed', 2577] as const]) {
    const wanted = { name: template, template, port, senders: [] };
    const made = await addChannel(root, wanted, dryRun);
    created.push(...[...made.created, ...made.brought].map((file) => named(root, file)));
  }
  return created;
}

/** As the site has it, whatever the current folder is. */
const named = (root: string, file: string) => {
  const whole = resolve(file);
  return whole.startsWith(root) ? whole.slice(root.length + 1) : file;
};

function tellNext(root: string, empty: boolean): void {
  if (/^\/(home|root|tmp)\//.test(root)) {
    say(
      'gatehouse.service cannot read a site below /home, /root or /tmp: move it before you install it',
    );
  }
  if (!isOnPath('gatehouse')) {
    // With this Node beside it: the one that the shell would find may be too old.
    const folders = `${join(ownFolder(), 'bin')}:${dirname(process.execPath)}`;
    say(`gatehouse is not on your PATH: export PATH="${folders}:$PATH"`);
  }
  const go = root === process.cwd() ? '' : `cd ${shortPath(root)} && `;
  say(
    `next: ${go}${empty ? 'gatehouse channel add NAME --template gp-record' : 'gatehouse channel test'}`,
  );
}

/** Whether a shell would find a command of this name. */
function isOnPath(name: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.some((folder) => existsSync(join(folder, name)));
}
