/** `gatehouse metrics show`: what Prometheus reads, for people. */
import { exits } from './exits.ts';
import { runningEngine } from './engine.ts';
import { type Form, printRows } from './form.ts';
import { printTable, say } from './output.ts';

interface Metric {
  name: string;
  help: string;
  type: string;
  values: { value: number; labels: Record<string, string | number>; metricName?: string }[];
}

/** Print the metrics whose name holds a text. */
export async function show(
  part: string | undefined,
  options: { data: string; output: Form },
): Promise<number> {
  const { metrics } = await runningEngine(options).get<{ metrics: Metric[] }>('/v1/metrics');
  const shown = metrics.filter(({ name }) => name.includes(part ?? ''));
  printRows(options.output, { kind: 'metrics', key: 'metrics', rows: shown }, () =>
    printTable(
      ['METRIC', 'OF', 'VALUE'],
      shown.flatMap((metric) =>
        metric.type === 'histogram' ? histogramRows(metric) : plainRows(metric),
      ),
    ),
  );
  if (shown.length === 0) say(`no metric has "${part}" in its name`);
  return exits.ok;
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
