/** `gatehouse queue …`: the deliveries of the running engine, looked at and steered. */
import type { QueueRow, SkippedRow, WaitingRow } from '../../engine/control/queues.ts';
import { faultByCode } from '../../engine/faults.ts';
import { runningEngine } from './engine.ts';
import { nextOf } from './deliveries.ts';
import { exits } from './exits.ts';
import { type Form, printOne, printRows } from './form.ts';
import { complain, print, printTable, say, style } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { age, inTime, time } from './times.ts';

interface QueueOptions {
  data: string;
  output: Form;
  reason?: string;
  dryRun?: boolean;
}

/** List destinations. */
export async function list(options: QueueOptions): Promise<number> {
  const { queues } = await runningEngine(options).get<{ queues: QueueRow[] }>('/v1/queues');
  const rows = queues.map(shown);
  printRows(options.output, { kind: 'queues', key: 'queues', rows }, () =>
    printTable(
      ['DESTINATION', 'STATE', 'DEPTH', 'OLDEST', 'FAULT', 'NEXT TRY', 'PARKED'],
      queues.map((row) => [
        row.to,
        row.state,
        depthOf(row),
        row.oldest === null ? '' : age(row.oldest),
        faultOf(row.fault),
        row.nextTry === null ? '' : inTime(row.nextTry),
        row.parked,
      ]),
    ),
  );
  if (queues.length === 0) say('no channel delivers to anybody');
  return exits.ok;
}

/** Show one destination and the messages that have waited longest. */
export async function show(to: string, options: QueueOptions): Promise<number> {
  const { queue, waiting } = await runningEngine(options).get<{
    queue: QueueRow;
    waiting: WaitingRow[];
  }>('/v1/queue', { to });
  const rows = waiting.map((row) => ({ ...row, received: time(row.received) }));
  printOne(options.output, 'queue', { ...shown(queue), waiting: rows }, () => tell(queue, waiting));
  if (queue.state === 'removed') {
    say(`no channel delivers to ${queue.to} any more; what is owed to it waits until one does`);
  }
  return exits.ok;
}

function tell(queue: QueueRow, waiting: readonly WaitingRow[]): void {
  const { held, fault, nextTry, parked } = queue;
  print(`${style('bold', queue.to)}  ${queue.state}`);
  if (held)
    print(`held by ${held.by} since ${held.since}: gatehouse message explain ${held.exchange}`);
  print(`${depthOf(queue)} waiting, ${queue.delivered} delivered since the start`);
  if (fault) {
    const when = nextTry === null ? '' : `; next try ${inTime(nextTry)}`;
    print(`${style('red', fault)} ${faultByCode(fault)?.says ?? ''}${when}`);
    // It is the first that waits which was refused.
    const [first] = waiting;
    print(`next: ${first ? nextOf(fault, first.id, queue.to) : (faultByCode(fault)?.next ?? '')}`);
  }
  if (parked > 0) print(`${parked} parked: gatehouse message list --state parked --to ${queue.to}`);
  if (waiting.length === 0) return;
  printTable(
    ['ID', 'AGE', 'STATE', 'ATTEMPTS', 'FAULT'],
    waiting.map(({ id, received, state, attempts, fault: why }) => {
      return [id, age(received), state, attempts, faultOf(why)];
    }),
  );
}

/** Hold, release or hasten a destination. */
export async function act(
  what: 'hold' | 'release' | 'retry',
  to: string,
  options: QueueOptions,
): Promise<number> {
  const { reason, dryRun = false } = options;
  const body = { to, by: whoAsks(), reason, dryRun };
  const done = await runningEngine(options).post<{
    to: string;
    exchange: string | null;
    state: string;
  }>(`/v1/queue/${what}`, body);
  printOne(options.output, 'queueActed', { act: what, ...done, dryRun }, () =>
    say(
      dryRun
        ? `${done.to} is ${done.state}; it would be told to ${what}. Nothing was changed`
        : `${done.to} is ${done.state}; recorded as ${done.exchange}`,
    ),
  );
  return exits.ok;
}

/**
 * Skip messages that wait, or are parked.
 * @returns 5 where some of them were neither, or were delivered in the same instant
 */
export async function skip(
  to: string,
  ids: string[],
  options: QueueOptions & { yes?: boolean },
): Promise<number> {
  const engine = runningEngine(options);
  const { reason, dryRun = false } = options;
  await confirm(`${ids.join(', ')}: never to be delivered to ${to}.`, options.yes ?? dryRun);
  const skipped: SkippedRow[] = [];
  for (const id of ids) {
    const body = { to, id, by: whoAsks(), reason, dryRun };
    try {
      skipped.push(await engine.post('/v1/queue/skip', body));
    } catch (error) {
      // What was done before must be told all the same.
      if (skipped.length === 0) throw error;
      complain(error);
    }
  }
  const listing = { kind: 'queueSkipped', key: 'skipped', rows: skipped, beside: { dryRun } };
  printRows(options.output, listing, () => {
    for (const one of skipped)
      say(dryRun ? `${one.id} is ${one.was} at ${one.to}, and would be skipped` : toldOf(one));
  });
  return skipped.length === ids.length ? exits.ok : exits.partly;
}

/** What is true of a message that was skipped: that it will not arrive is known of few. */
function toldOf({ to, id, attempts, isWritten }: SkippedRow): string {
  const look = `gatehouse message explain ${id}`;
  if (isWritten)
    return `${id} is being sent to ${to}, and may arrive; it is not sent again: ${look}`;
  if (attempts === 0) return `${id} is not delivered to ${to}`;
  const times = attempts === 1 ? 'once' : `${attempts} times`;
  return `${id} is not sent again to ${to}; it was tried ${times}: ${look}`;
}

const depthOf = ({ depth, more }: QueueRow) => `${depth}${more ? '+' : ''}`;
const faultOf = (code: string | null) =>
  code === null ? '' : `${code} ${faultByCode(code)?.name ?? ''}`.trim();

/** Times as text, for other programs. */
function shown(row: QueueRow): object {
  const at = (us: number | null) => (us === null ? null : time(us));
  return { ...row, oldest: at(row.oldest), nextTry: at(row.nextTry) };
}
