/** `gatehouse store verify|salvage`: whether the journal is whole, and what can be saved of it. */
import { exchangeName } from '../../engine/journal/journal.ts';
import { type Salvaged, salvage } from '../../engine/journal/salvage.ts';
import { type Verified, verifyJournal } from '../../engine/journal/verify.ts';
import { amount } from '../../engine/watch/words.ts';
import { assertAlone } from '../../engine/control/place.ts';
import { exits } from './exits.ts';
import { type Form, isForPeople, printOne } from './form.ts';
import { type JournalOptions, journalFolder } from './journals.ts';
import { print, printTable, say, style } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { showShare } from './share.ts';

interface VerifyOptions extends JournalOptions {
  output: Form;
}

/** Lines shown to a person; `-o json` has more. */
const mostShown = 20;

/** Verify. @returns 6 where anything is damaged */
export async function verify({ keyFile, output, ...options }: VerifyOptions): Promise<number> {
  const folder = journalFolder(options, ['journal.sqlite', 'keys.sqlite']);
  const shown = showShare();
  let verified: Verified;
  try {
    verified = verifyJournal(folder, { keyFile, at: shown.at });
  } finally {
    shown.end();
  }
  const findings = verified.findings.map((finding) => ({
    ...finding,
    exchange: finding.exchange === undefined ? undefined : exchangeName(finding.exchange),
  }));
  printOne(output, 'verified', { ...verified, findings }, () => tellVerified(verified));
  const found = Object.values(verified.counts).reduce((sum, count) => sum + count, 0);
  const next = nextAfter(verified);
  if (found === 0) say('the journal is whole');
  else say(`${found === 1 ? '1 finding' : `${found} findings`}\nnext: ${next}`);
  return found === 0 ? exits.ok : exits.findings;
}

function tellVerified({ channels, exchanges, readable, findings, counts }: Verified): void {
  printTable(
    ['CHANNEL', 'BLOCKS', 'STORED'],
    channels.map((one) => [one.channel, one.blocks, amount(one.bytes)]),
  );
  const known = exchanges === undefined ? 'not known' : `${readable} of ${exchanges} readable`;
  print(`\nexchanges: ${known}`);
  for (const { file, damage, says } of findings.slice(0, mostShown)) {
    print(`${style('red', damage)} ${file}: ${says}`);
  }
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all > mostShown) print(`and ${all - mostShown} more: -o json lists up to 1000 of each kind`);
}

/** The one next command. */
function nextAfter({ counts, beside, findings }: Verified): string {
  const ofJournal = findings.some(({ file }) => file === 'journal.sqlite');
  if (!ofJournal) {
    const again = 'start the engine: it builds keys.sqlite again from the journal';
    const first = counts.index + counts.structure > 0 ? 'move keys.sqlite out of the way, ' : '';
    return `${beside ? 'stop the engine, ' : ''}${first}${again}`;
  }
  if (findings.some(({ says }) => /is gone/.test(says))) return 'restore it from a backup';
  const copy = 'copy the folder; then';
  return beside
    ? `${copy} stop the engine and run: gatehouse store salvage --dry-run`
    : `${copy} run: gatehouse store salvage --dry-run`;
}

interface SalvageOptions extends VerifyOptions {
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
}

/** Salvage. @returns 5 where something could not be saved */
export async function salvageIt(options: SalvageOptions): Promise<number> {
  const { keyFile, dryRun = false, output, reason } = options;
  const folder = journalFolder(options);
  await assertAlone(folder);
  if (!dryRun) {
    const question = `A new journal takes the place of the one in ${options.data}, which is kept beside it.`;
    await confirm(question, options.yes);
  }
  const shown = showShare();
  let salvaged: Salvaged;
  try {
    const at = (share: number): void => shown.at('searched', share);
    salvaged = salvage(folder, { keyFile, dryRun, by: whoAsks(), reason, at });
  } finally {
    shown.end();
  }
  const missing = salvaged.missing?.map((one) => ({
    ...one,
    exchange: exchangeName(one.exchange),
  }));
  printOne(output, 'salvaged', { dryRun, ...salvaged, missing }, () => tellSalvaged(salvaged));
  const { unreadable, unnamed, aside } = salvaged;
  if (aside !== undefined) {
    say(`the damaged files are in ${aside}, with this report (salvaged.json)`);
    say('next: gatehouse serve; then ask the senders for what is missing');
  } else if (isForPeople(output)) say('nothing was changed');
  const lost = unreadable.length + unnamed.length + (salvaged.missing?.length ?? 1);
  return lost === 0 ? exits.ok : exits.partly;
}

function tellSalvaged({ blocks, appends, unreadable, missing, unnamed }: Salvaged): void {
  print(`${blocks} blocks can be read, with ${appends} entries`);
  for (const { id, channel } of unreadable.slice(0, mostShown)) {
    print(`${style('red', 'lost')} block ${id} of ${channel} does not open`);
  }
  if (unreadable.length > mostShown) print(`and ${unreadable.length - mostShown} more blocks`);
  if (missing === undefined) {
    print('what else is missing is not known: the index (keys.sqlite) cannot be read');
  }
  for (const { exchange, channel } of missing?.slice(0, mostShown) ?? []) {
    print(`${style('red', 'lost')} all or part of ${exchangeName(exchange)} of ${channel}`);
  }
  if ((missing?.length ?? 0) > mostShown) {
    print(`and ${(missing?.length ?? 0) - mostShown} more exchanges: -o json lists all`);
  }
  for (const name of unnamed) print(`a channel has lost its name and is called ${name}`);
}
