/** `gatehouse key list|rotate`: the keys that seal the journal. The keys themselves are never shown. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { filesOf, openForReading } from '../../engine/journal/database.ts';
import { addKey, readKeys } from '../../engine/journal/keyring.ts';
import { ringValue } from '../../engine/journal/seal.ts';
import { read } from '../../engine/journal/sql.ts';
import { engineIn } from '../../engine/control/client.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { printListing, printOne } from './form.ts';
import { reencryptAll, resealed, usesOf } from './key-reencrypt.ts';
import { type ChangeOptions, type KeyOptions, keyFileOf } from './key-options.ts';
import { journalFolder } from './journals.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';

/** List the keys, oldest first. @returns 6 where one is missing that something is sealed with */
export async function list(options: KeyOptions): Promise<number> {
  const folder = resolve(options.data);
  mustBeThere(options);
  const file = keyFileOf(options);
  const keys = readKeys(file).map((key) => ringValue(key).toString('hex'));
  const starts = Map.groupBy(sessionsOf(folder), (ring) => ring);
  const missing = [...starts.keys()].filter((ring) => !keys.includes(ring));
  const isCounted = missing.length === 0 && keys.length > 1 && existsSync(filesOf(folder).journal);
  const uses = isCounted ? await usesOf(folder, options) : [];
  const rows = [...missing, ...keys].map((key) => {
    const use = uses.find((one) => one.key === key && !one.current);
    return {
      key,
      state: missing.includes(key) ? 'missing' : key === keys.at(-1) ? 'current' : 'old',
      starts: starts.get(key)?.length ?? 0,
      ...(use && { blocks: use.blocks, exchanges: use.exchanges, practices: use.practices }),
    };
  });
  printListing(options.output, {
    kind: 'keys',
    key: 'keys',
    rows,
    columns: [
      { title: 'KEY', cell: (row) => row.key },
      { title: 'STATE', cell: (row) => row.state },
      { title: 'SEALED AFTER STARTS', cell: (row) => row.starts },
      { title: 'BLOCKS UNDER IT', cell: (row) => row.blocks },
      {
        title: 'EXCHANGES',
        cell: ({ exchanges }) =>
          exchanges === undefined ? '' : exchanges ? 'may need it' : 'found without',
      },
      { title: 'PRACTICES', cell: (row) => row.practices },
    ],
    beside: { file },
  });
  say(`in ${file}; keep a copy apart from the backup of the journal`);
  for (const { key, current, blocks, exchanges, practices } of uses) {
    if (current || practices > 0) continue;
    if (blocks === 0 && !exchanges) say(`nothing needs ${key}: gatehouse key retire ${key}`);
  }
  if (uses.some((one) => !one.current && (one.blocks > 0 || one.exchanges))) {
    say('gatehouse key reencrypt brings what is stored under the current key');
  }
  if (missing.length === 0) return exits.ok;
  say(`without the missing ${missing.length === 1 ? 'key' : 'keys'} the engine does not start`);
  return exits.findings;
}

/** Where neither a journal nor its key is, another folder is meant: no key is lost. */
function mustBeThere(options: KeyOptions): void {
  if (options.keyFile === undefined) journalFolder(options, ['journal.sqlite', 'journal.key']);
}

/** With which key something was sealed, once for each time it began to be used. */
function sessionsOf(folder: string): string[] {
  const { journal } = filesOf(folder);
  if (!existsSync(journal)) return [];
  const database = openForReading(journal, 2000);
  try {
    const rows = database.prepare<[number], { ring: Buffer }>(read.sessions).all(0);
    return rows.map(({ ring }) => ring.toString('hex'));
  } finally {
    database.close();
  }
}

interface RotateOptions extends ChangeOptions {
  /** Then bring what is stored under the new key as well. */
  reencrypt?: boolean;
}

/** Add a new current key; a running engine seals with it from then on. The old ones stay. */
export async function rotate(options: RotateOptions): Promise<number> {
  mustBeThere(options);
  const file = keyFileOf(options);
  const known = readKeys(file).length;
  const running = await isRunning(options.data);
  if (options.dryRun) {
    const when = running
      ? 'and the engine would use it at once'
      : 'and the next start would use it';
    say(`a new key would be added to ${file}, which holds ${known}, ${when}`);
    if (options.reencrypt) say('then all that is stored would be sealed again with it');
    return exits.ok;
  }
  const more = options.reencrypt ? ', and all that is stored sealed again with it' : '';
  await confirm(`A new key is to be added to ${file}${more}.`, options.yes);
  const key = ringValue(addKey(file)).toString('hex');
  const told = { key, file, inUse: running };
  if (running) {
    const body = { by: whoAsks(), reason: options.reason };
    const { keys } = await runningEngine(options).post<{ keys: string[] }>('/v1/key/adopt', body);
    if (keys.at(-1) !== key) {
      throw new CommandError(
        `the engine reads another key file than ${file}, and seals as before`,
        'name its key file with --key-file',
        exits.failed,
      );
    }
  }
  printOne(options.output, 'keyRotated', told, () => {
    say(`key ${key} ${running ? 'seals from now on' : 'will seal from the next start on'}`);
  });
  say(
    `the old ones stay in ${file}, to read what they sealed; copy the file to where its backup is`,
  );
  if (!options.reencrypt) return exits.ok;
  const folder = resolve(options.data);
  if (!existsSync(filesOf(folder).journal)) return exits.ok;
  const uses = await usesOf(folder, options);
  return reencryptAll(folder, uses, options, ({ blocks }) => say(resealed(blocks)));
}

async function isRunning(data: string): Promise<boolean> {
  try {
    await engineIn(data).get('/v1/status');
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.status === 503) return false;
    throw error;
  }
}
