/** `gatehouse message replay|edit`: the running engine sends stored messages again. */
import { readFileSync } from 'node:fs';
import type { ReplayRow } from '../../engine/control/replay.ts';
import type { FieldDifference } from '../../engine/hl7/difference.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { faultNamed } from './fault-code.ts';
import { maskValue, recordReveal } from './mask.ts';
import { type Form, isForPeople, printRows } from './form.ts';
import { CommandError, printTable, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { messagesIn } from './send.ts';

interface AgainOptions {
  data: string;
  output: Form;
  to?: string;
  from?: string;
  includeSuperseded?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
}

interface Replayed {
  rows: ReplayRow[];
  /** There is more with this cause than one call sends. */
  more: boolean;
  differences?: FieldDifference[];
}

/**
 * Replay messages, or all dead letters with one cause; first as a dry run where a person is asked.
 * @returns 5 where some, and 1 where all of them were not sent; 6 where a dry run finds such
 */
export async function replay(
  ids: string[],
  options: AgainOptions & { fault?: string },
): Promise<number> {
  const cause = {
    fault: options.fault === undefined ? undefined : faultNamed(options.fault),
    to: options.to,
  };
  if (ids.length === 0 && !cause.fault && !cause.to) {
    throw new CommandError(
      'nothing is named',
      'name messages by their ids, or a cause: --fault GH-7004',
      'argumentMissing',
    );
  }
  if (ids.length > 0 && cause.fault) {
    throw new CommandError('messages and a cause are named', 'name one or the other');
  }
  const body = { ids, ...cause, ...again(options) };
  return sendAgain('/v1/replay', body, options, 'replayed');
}

interface EditOptions extends AgainOptions {
  set?: string[];
  file?: string;
  newId?: boolean;
  reveal?: boolean;
  reason: string;
}

/** Send a changed copy of a message; the fields that differ are shown, their values covered. */
export async function edit(id: string, options: EditOptions): Promise<number> {
  const set = (options.set ?? []).flatMap(assignments);
  if (set.length === 0 && options.file === undefined && !options.newId) {
    throw new CommandError('nothing is changed', 'say what: --set PV1-2=I, or --file FILE');
  }
  const message = options.file === undefined ? undefined : messageIn(options.file);
  if (options.reveal) recordReveal(options.data, id, options.reason);
  const body = { id, set, message, newId: options.newId, to: options.to, ...again(options) };
  return sendAgain('/v1/edit', body, options, 'sent', options.reveal === true);
}

const again = ({ from, includeSuperseded, reason }: AgainOptions) => ({
  ...{ from, includeSuperseded, reason, by: whoAsks() },
});

async function sendAgain(
  path: string,
  body: object,
  options: AgainOptions,
  verb: string,
  reveal = false,
): Promise<number> {
  const engine = runningEngine(options);
  const ask = (dryRun: boolean) => engine.post<Replayed>(path, { ...body, dryRun });
  let shown = await ask(options.dryRun === true || !options.yes);
  const ready = shown.rows.filter(({ outcome }) => outcome === 'ready').length;
  if (!options.dryRun && !options.yes && ready > 0) {
    if (isForPeople(options.output)) table(shown, reveal);
    const few = ready === 1 ? '1 message is' : `${ready} messages are`;
    await confirm(`${few} to be ${verb}.`, options.yes);
    shown = await ask(false);
  }
  const { rows, more } = shown;
  const differences = shown.differences?.map((one) => covered(one, reveal));
  const beside = { dryRun: options.dryRun === true, more, differences };
  printRows(options.output, { kind: 'replay', key: 'rows', rows, beside }, () => {
    table(shown, reveal);
    sumUp(shown, verb);
  });
  const good = shown.rows.filter(({ outcome }) => outcome === 'ready' || outcome === 'replayed');
  if (good.length === shown.rows.length) return exits.ok;
  if (options.dryRun) return exits.findings;
  return good.length > 0 ? exits.partly : exits.failed;
}

function table({ rows, differences }: Replayed, reveal: boolean): void {
  if (differences) {
    printTable(
      ['FIELD', 'BEFORE', 'AFTER'],
      differences
        .map((one) => covered(one, reveal))
        .map(({ at, before, after }) => [at, before, after]),
    );
  }
  printTable(
    ['ID', 'OUTCOME', 'FROM', 'TO', 'NEW', 'WHY'],
    rows.map(({ id, outcome, from, to, as, why }) => [id, outcome, from, to.join(' '), as, why]),
  );
}

function sumUp({ rows, more }: Replayed, verb: string): void {
  const count = (outcome: ReplayRow['outcome']) =>
    rows.filter((row) => row.outcome === outcome).length;
  const told = [
    [count('ready'), `would be ${verb}; order kept per key`],
    [count('replayed'), `${verb}; order kept per key`],
    [count('superseded'), 'superseded by a newer message, and left out (--include-superseded)'],
    [count('refused'), 'cannot be sent again'],
    [count('rejected'), 'not taken by the channel'],
    [count('failed'), 'not stored, so nothing was sent'],
  ] as const;
  for (const [n, what] of told) if (n > 0) say(`${n} ${what}`);
  if (more) say('there is more with this cause: call it again');
}

function covered({ at, before, after }: FieldDifference, reveal: boolean): FieldDifference {
  if (reveal) return { at, before, after };
  const cover = (text: string | undefined) =>
    text === undefined ? undefined : maskValue(at, text);
  return { at, before: cover(before), after: cover(after) };
}

/** `PV1-2=I`; "-" stands for such lines of standard input, out of the list of processes. */
function assignments(text: string): { path: string; value: string }[] {
  if (text === '-') {
    const lines = readFileSync(0, 'utf8').split(/\r?\n/);
    return lines.filter((line) => line !== '').flatMap((line) => assignments(line));
  }
  const at = text.indexOf('=');
  if (at < 1) {
    throw new CommandError(
      '--set needs a place and a text',
      'write it as PV1-2=I',
      'valueNotAllowed',
    );
  }
  return [{ path: text.slice(0, at), value: text.slice(at + 1) }];
}

/** The one message of a file, base64. */
function messageIn(file: string): string {
  const messages = messagesIn(file);
  const [message] = messages;
  if (messages.length !== 1 || !message) {
    throw new CommandError(
      `the file holds ${messages.length} messages`,
      'give one alone',
      'inputUnreadable',
    );
  }
  return message.toBytes().toString('base64');
}
