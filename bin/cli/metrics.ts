/** `gatehouse metrics show`: what Prometheus reads, for people. */
import { exits } from './exits.ts';
import { runningEngine } from './engine.ts';
import { type Form, printRows } from './form.ts';
import { CommandError, printTable, say } from './output.ts';
import type { Metric } from './samples.ts';

/** Print the metrics whose name holds a text; with a channel those of it alone. */
export async function show(
  part: string | undefined,
  options: { data: string; channel?: string; output: Form },
): Promise<number> {
  const { metrics } = await runningEngine(options).get<{ metrics: Metric[] }>('/v1/metrics');
  const { channel } = options;
  const own = metrics
    .map((metric) => (channel === undefined ? metric : ofChannel(metric, channel)))
    .filter(({ values }) => channel === undefined || values.length > 0);
  if (channel !== undefined && own.length === 0) {
    const says = `there is no metric of a channel "${channel}"`;
    throw new CommandError(says, 'gatehouse channel list', exits.notFound);
  }
  const shown = own.filter(({ name }) => name.includes(part ?? ''));
  printRows(options.output, { kind: 'metrics', key: 'metrics', rows: shown }, () =>
    printTable(
      ['METRIC', 'OF', 'VALUE'],
      shown.flatMap((metric) =>
        metric.type === 'histogram' ? histogramRows(metric) : plainRows(metric),
      ),
    ),
  );
  if (shown.length === 0) {
    const which = part === undefined ? 'no metric' : `no metric with "${part}" in its name`;
    say(channel === undefined ? `there is ${which}` : `there is ${which} of channel "${channel}"`);
  }
  return exits.ok;
}

/** The series of one channel: those that name it, or one of its destinations. */
function ofChannel(metric: Metric, channel: string): Metric {
  const values = metric.values.filter(({ labels }) => {
    const names = [labels.channel, labels.destination, labels.certificate, labels.subject].map(
      String,
    );
    const begins = (name: string) =>
      name.startsWith(`${channel}/`) || name.startsWith(`${channel} `);
    return names.some((name) => name === channel || begins(name));
  });
  return { ...metric, values };
}

const labelsOf = (labels: Record<string, string | number>): string =>
  Object.entries(labels)
    .filter(([name]) => name !== 'le')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));

function plainRows({ name, values }: Metric): string[][] {
  return values.map(({ labels, value }) => [name, labelsOf(labels), short(value)]);
}

/** How many, their mean, and the bucket below which nearly all of them lie. */
function histogramRows({ name, values }: Metric): string[][] {
  const groups = Map.groupBy(values, ({ labels }) => labelsOf(labels));
  return Array.from(groups, ([of, group]) => {
    const named = (suffix: string) =>
      group.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    const count = named('count');
    const buckets = group.filter(({ metricName }) => metricName === `${name}_bucket`);
    const below = (share: number) =>
      buckets.find(({ value }) => value >= count * share)?.labels.le ?? '';
    const value =
      count === 0
        ? '0'
        : `${count}, mean ${short(named('sum') / count)}, p50 ≤ ${below(0.5)}, p99 ≤ ${below(0.99)}`;
    return [name, of, value];
  });
}
