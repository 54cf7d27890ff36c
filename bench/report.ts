/** What was measured, for people: tables of medians, and each goal with its verdict. */
import type { Beside } from './beside.ts';
import type { Chain } from './chain.ts';
import type { Results, ServerRow, Spread } from './figures.ts';
import type { Verdict } from './goals.ts';
import type { Machine } from './machine.ts';

export interface Report {
  machine: Machine;
  /** How it was measured. */
  method: { repetitions: number; seconds: number; bytes: number };
  /** Seconds the whole run took. */
  took: number;
  results: Results;
  goals: Verdict[];
}

/** The report as text. */
export function written({ machine, method, took, results, goals }: Report): string {
  const { processor, cores, memory, system, node, disk } = machine;
  const parts = [
    `${processor}, ${cores} cores, ${memory} GB; ${system}; Node ${node}\n` +
      `journal on ${disk}; everything on this machine, over loopback\n` +
      `${method.repetitions} repetitions of ${method.seconds} s, interleaved; medians; ${took.toFixed(0)} s in all`,
  ];
  // One core for the load, one for the server: with more running, nothing here can be trusted.
  if (machine.load > 0.5) {
    parts.push(
      `NOT A QUIET MACHINE: ${machine.load.toFixed(1)} processes wanted to run before we began. ` +
        'Take these figures for a test of the benchmark, not of anything else.',
    );
  }
  if (results.servers.length > 0) parts.push(servers(results.servers, method.bytes));
  if (results.beside) parts.push(besideLarge(results.beside));
  if (results.chain) parts.push(wholeChain(results.chain));
  if (results.syncs) {
    parts.push(`4 KB append + fdatasync: ${whole(results.syncs)} a second`);
  }
  if (results.edits.length > 0) {
    parts.push(
      'Parse, read PID-5, set MSH-10, serialise a 1 KB ADT; one thread\n' +
        table(
          ['', 'per second', 'peak MB'],
          results.edits.map((row) => [row.library, whole(row.perSecond), row.peak.toFixed(0)]),
        ),
    );
  }
  if (results.mappings.length > 0) {
    parts.push(
      'Mapping a GP record, beside parsing its JSON; one thread\n' +
        table(
          ['', 'KB', 'segments', 'JSON.parse ms', 'mapping ms', 'times'],
          results.mappings.map((row) => [
            row.record,
            row.kilobytes.toFixed(0),
            String(row.segments),
            row.parse.median.toFixed(2),
            row.map.median.toFixed(2),
            range(row.times),
          ]),
        ),
    );
  }
  if (goals.length > 0)
    parts.push(`Goals\n${table(['', 'measured', 'goal', ''], goals.map(goal))}`);
  return `${parts.join('\n\n')}\n`;
}

function besideLarge({ alone, beside, turn, large, kilobytes }: Beside): string {
  const row = (title: string, { p50, p99 }: Beside['alone']) => [
    title,
    milliseconds(p50),
    milliseconds(p99),
  ];
  return [
    'Small queries while large records are fetched and mapped; 4 connections and 1',
    table(
      ['', 'p50 ms', 'p99 ms'],
      [
        row('small queries alone', alone),
        row('beside large ones', beside),
        [`the large ones (${kilobytes.toFixed(0)} KB each)`, milliseconds(large.p50), ''],
      ],
    ),
    `longest time for which the event loop was held meanwhile: ${milliseconds(turn)} ms`,
  ].join('\n');
}

function wholeChain({ connections, acknowledged, delivered, waiting, cpu }: Chain): string {
  return [
    `ADT received, stored, acknowledged, delivered and that stored; ${connections} connections`,
    table(
      ['', 'a second'],
      [
        ['acknowledged, while the load lasts', whole(acknowledged)],
        ['delivered and done with', whole(delivered)],
      ],
    ),
    `  ${whole(waiting)} waited when the load ended${cpu ? `; ${whole(cpu)} µs of CPU a message` : ''}`,
  ].join('\n');
}

function servers(rows: ServerRow[], bytes: number): string {
  const connections = [...new Set(rows.map((row) => row.connections))];
  const lines = connections.map((count) => {
    const those = rows.filter((row) => row.connections === count);
    const cells = those.map((row) => [
      row.title,
      row.failure === undefined ? whole(row.perSecond) : 'fails',
      range(row.share),
      milliseconds(row.p50),
      milliseconds(row.p99),
      row.p99Times ? `${row.p99Times.median.toFixed(1)}×` : '',
      row.cpu ? row.cpu.median.toFixed(0) : '',
      row.peak === undefined ? '' : row.peak.toFixed(0),
    ]);
    const heads = ['', 'msg/s', 'of echo', 'p50 ms', 'p99 ms', 'of echo', 'CPU µs', 'peak MB'];
    const failures = those.flatMap(({ title, failure }) =>
      failure === undefined ? [] : [`  ${title}: ${failure}`],
    );
    const title = `${count} ${count === 1 ? 'connection' : 'connections'}, one message of ${bytes} bytes in flight on each`;
    return [title, table(heads, cells), ...failures].join('\n');
  });
  return lines.join('\n\n');
}

function goal({ goal: what, measured, bound, met, because }: Verdict): string[] {
  const verdict =
    met === undefined ? `no figure${because ? `: ${because}` : ''}` : met ? 'met' : 'MISSED';
  return [what, measured === undefined ? '' : short(measured), bound, verdict];
}

function whole(figure: Spread | undefined): string {
  return figure === undefined ? '' : Math.round(figure.median).toLocaleString('en');
}

function range(figure: Spread | undefined): string {
  if (figure === undefined) return '';
  const { median, min, max } = figure;
  const digits = median < 0.1 ? 4 : 2;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function milliseconds(figure: Spread | undefined): string {
  return figure === undefined ? '' : figure.median.toFixed(2);
}

function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

/** Columns of equal width; the first to the left, the others to the right. */
function table(heads: string[], rows: string[][]): string {
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  return [heads, ...rows]
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('  '),
    )
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}
