/** `gatehouse store backup`: a copy of the journal, taken while an engine serves from it. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BackedUp, backUp, bytesToCopy } from '../../engine/journal/backup.ts';
import { filesOf } from '../../engine/journal/database.ts';
import { verifyJournal } from '../../engine/journal/verify.ts';
import { amount } from '../../engine/watch/words.ts';
import { exits } from './exits.ts';
import { type Form, printListing } from './form.ts';
import { type JournalOptions, journalFolder } from './journals.ts';
import { CommandError, say } from './output.ts';
import { withProgress } from './progress.ts';
import { showShare } from './share.ts';
import { time } from './times.ts';

interface BackupOptions extends JournalOptions {
  withKey?: boolean;
  output: Form;
}

const megabyte = 1e6;

/** Copy and verify. @returns 6 where the copy is not whole, which then the journal is not either */
export async function backup(to: string, options: BackupOptions): Promise<number> {
  const { withKey = false, output } = options;
  const folder = journalFolder(options);
  const target = resolve(to);
  if (existsSync(target) && !(statSync(target).isDirectory() && readdirSync(target).length === 0)) {
    throw new CommandError(`${to} is there already`, 'name a new folder: nothing is overwritten');
  }
  const keyFile = options.keyFile ?? filesOf(folder).key;
  const total = Math.ceil(bytesToCopy(folder) / megabyte);
  const afterwards = 'nothing is left of it; call the same command again';
  const task = { doing: 'copying', unit: 'MB', total, afterwards };
  const copied = await withProgress(task, ({ step }) => {
    let [bytes, told] = [0, 0];
    return backUp(folder, target, {
      ...{ keyFile, withKey },
      step: async (more) => {
        bytes += more;
        const whole = Math.floor(bytes / megabyte);
        await step(whole - told);
        told = whole;
      },
    });
  });
  const { exchanges, findings } = verified(copied, keyFile);
  printListing(output, {
    kind: 'storeBackup',
    key: 'files',
    rows: copied.files,
    columns: [
      { title: 'FILE', cell: ({ file }) => file },
      { title: 'SIZE', cell: ({ bytes }) => amount(bytes) },
    ],
    beside: { target, at: time(copied.at), exchanges, withKey, findings },
  });
  say(`${exchanges} exchanges, and all that was stored before ${time(copied.at)}, are in ${to}`);
  if (!withKey) say(`the key is not in it: keep a copy of ${keyFile} in another place`);
  if (findings === 0) return exits.ok;
  say(`the copy is not whole, and so neither is the journal\nnext: gatehouse store verify`);
  return exits.findings;
}

function verified({ target }: BackedUp, keyFile: string): { exchanges: number; findings: number } {
  const shown = showShare();
  try {
    const at = (what: string, share?: number): void => shown.at(`verifying ${what}`, share);
    const { exchanges = 0, counts } = verifyJournal(target, { keyFile, at });
    const findings = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { exchanges, findings };
  } finally {
    shown.end();
    // What reading them left: the copies have no log of their own.
    for (const file of ['journal.sqlite', 'keys.sqlite']) {
      for (const suffix of ['-wal', '-shm']) rmSync(join(target, file + suffix), { force: true });
    }
  }
}
