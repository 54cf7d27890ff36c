/** `gatehouse status`: the running engine, its channels, destinations and what is wrong. */
import type { Alert } from '../../engine/watch/alerts.ts';
import type { ObservedChannel, ObservedDestination } from '../../engine/watch/observed.ts';
import type { Status } from '../../engine/watch/status.ts';
import { age, amount } from '../../engine/watch/words.ts';
import { exits } from './exits.ts';
import { runningEngine } from './engine.ts';
import { type Form, printOne } from './form.ts';
import { print, printTable, say, style } from './output.ts';

/** Tell. @returns 6 where any condition holds, 69 where no engine runs */
export async function status(options: { data: string; output: Form }): Promise<number> {
  const told = await runningEngine(options).get<Status>('/v1/status');
  printOne(options.output, 'status', told, () => tell(told));
  return told.alerts.length > 0 ? exits.findings : exits.ok;
}

function tell({ at, engine, channels, destinations, alerts, journal, disk }: Status): void {
  const { version, pid, started, revision, finishing, health } = engine;
  const up = `up ${age(at - started)}, revision ${revision}, pid ${pid}`;
  print(`${style('bold', 'gatehouse')} ${version}: ${up}`);
  if (finishing > 0) print(`${finishing} messages are finished under the revision before`);
  if (health) print(`health on ${health.host}:${health.port ?? 'a port that is held'}`);
  print('');
  printTable(
    ['CHANNEL', 'LISTENS', 'STATE', 'CONNECTIONS', 'LAST MESSAGE'],
    channels.map((one) => channelRow(one, at)),
  );
  if (destinations.length > 0) {
    print('');
    printTable(
      ['DESTINATION', 'STATE', 'WAITING', 'OLDEST', 'PARKED', 'FAULT', 'NEXT TRY'],
      destinations.map((one) => destinationRow(one, at)),
    );
  }
  print('');
  const { exchanges, bytes, oldest } = journal;
  const since = oldest === null ? '' : `, the oldest of ${age(at - oldest)} ago`;
  const free = disk ? `; ${amount(disk.free)} free on its disk` : '';
  print(`journal: ${exchanges} exchanges, ${amount(bytes)}${since}${free}`);
  print('');
  for (const alert of alerts) tellAlert(alert, at);
  const holding = alerts.length === 1 ? '1 condition holds' : `${alerts.length} conditions hold`;
  say(alerts.length > 0 ? holding : 'all is well');
}

function channelRow(one: ObservedChannel, at: number): (string | number)[] {
  const { channel, host, port, state, connections, last } = one;
  const ago = last === null ? 'none' : `${age(at - last)} ago`;
  return [channel, `${host}:${port}`, state, connections.length, ago];
}

function destinationRow(one: ObservedDestination, at: number): (string | number)[] {
  const { to, state, depth, more, oldest, parked, fault, nextTry } = one;
  return [
    to,
    state,
    `${depth}${more ? '+' : ''}`,
    oldest === null ? '' : age(at - oldest),
    parked,
    fault ?? '',
    nextTry === null ? '' : `in ${age(nextTry - at)}`,
  ];
}

function tellAlert({ condition, subject, severity, says, next, since }: Alert, at: number): void {
  const colour = severity === 'error' ? 'red' : 'yellow';
  print(`${style(colour, severity)} ${condition} ${subject}: ${says}, for ${age(at - since)}`);
  print(`    next: ${next}`);
}
