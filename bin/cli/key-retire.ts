/** `gatehouse key retire`: an old key taken out of the key file, once nothing needs it. */
import { silent } from '../../engine/events.ts';
import { operatorEntry } from '../../engine/control/operator.ts';
import { isHeld } from '../../engine/journal/database.ts';
import { forgetPractices } from '../../engine/journal/key-use.ts';
import { readKeys, removeKey, replaceKeys } from '../../engine/journal/keyring.ts';
import { ringValue } from '../../engine/journal/seal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { microseconds } from '../../engine/microseconds.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { printOne } from './form.ts';
import { journalFolder } from './journals.ts';
import { usesOf } from './key-reencrypt.ts';
import { type ChangeOptions, keyFileOf } from './key-options.ts';
import { CommandError, print, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { withProgress } from './progress.ts';

interface RetireOptions extends ChangeOptions {
  forgetPractices?: boolean;
}

/** Retire a key. @param name what `key list` calls it */
export async function retire(name: string, options: RetireOptions): Promise<number> {
  const { keyFile, dryRun = false } = options;
  const folder = journalFolder(options);
  const file = keyFileOf(options);
  const key = readKeys(file).find((one) => ringValue(one).toString('hex') === name);
  if (!key) {
    throw new CommandError(`${file} holds no key ${name}`, 'gatehouse key list', exits.notFound);
  }
  const use = (await usesOf(folder, options)).find((one) => one.key === name);
  if (!use || use.current) {
    const why = `${name} is the current key: what is stored now is sealed with it`;
    throw new CommandError(why, 'gatehouse key rotate --reencrypt');
  }
  if (use.blocks > 0 || use.exchanges) {
    const what = use.blocks > 0 ? `${amount(use.blocks)} blocks lie` : 'exchanges are found';
    throw new CommandError(`${name} is still needed: ${what} under it`, 'gatehouse key reencrypt');
  }
  const rows = use.practices;
  if (rows > 0 && !options.forgetPractices) {
    throw new CommandError(
      `${name} is still needed: the practices of ${amount(rows)} patients are known under it alone`,
      'wait until the patients are named again, import a list of them, or add --forget-practices',
    );
  }
  const told = { key: name, file, dryRun, practices: rows };
  const forgetting =
    rows > 0 ? `, and the practices of ${amount(rows)} patients are forgotten for good` : '';
  if (dryRun) {
    printOne(options.output, 'keyRetired', told, () =>
      print(`${name} would be taken out of ${file}${forgetting}`),
    );
    return exits.ok;
  }
  await confirm(`${name} is taken out of ${file} for good${forgetting}.`, options.yes);
  if (rows > 0) {
    await withProgress({ doing: 'forgetting', unit: 'practices', total: rows }, ({ step }) =>
      forgetPractices(folder, name, { keyFile, step }),
    );
  }
  const before = removeKey(file, key);
  try {
    await adopt(folder, name, options);
  } catch (error) {
    replaceKeys(file, before);
    throw error;
  }
  printOne(options.output, 'keyRetired', told, () =>
    print(`${name} was taken out of ${file}${forgetting}`),
  );
  say('backups from before need it: keep a copy of it for as long as you keep them');
  return exits.ok;
}

/** Have the journal do without it, and record that: by a running engine or without one. */
async function adopt(folder: string, retired: string, options: RetireOptions): Promise<void> {
  const { keyFile, reason } = options;
  const by = whoAsks();
  if (isHeld(folder)) {
    const body = { retired, by, reason };
    const { keys } = await runningEngine(options).post<{ keys: string[] }>('/v1/key/adopt', body);
    if (!keys.includes(retired)) return;
    throw new CommandError(
      `the engine reads another key file than ${keyFileOf(options)}`,
      'name its key file with --key-file',
      exits.failed,
    );
  }
  const key = keyFile === undefined ? undefined : { file: keyFile };
  const journal = await openJournal({ folder, key, emit: silent });
  try {
    const [first] = await journal.stored();
    const entry = operatorEntry(microseconds(), { act: 'key-retire', by, reason, to: retired });
    const keys = { type: 'operator', state: 'answered' } as const;
    await journal.append(journal.mint(), first?.channel ?? '', [entry], keys);
  } finally {
    await journal.close();
  }
}

const amount = (n: number): string => n.toLocaleString('en-GB');
