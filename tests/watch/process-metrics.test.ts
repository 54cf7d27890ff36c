import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { loopInterval, setProcessGauges } from '../../engine/watch/process-metrics.ts';

describe('the metrics of the process', () => {
  it('tell of the event loop how long others were kept waiting, without the time between two looks', async () => {
    const registry = new Registry();
    const longest = (loopInterval + 30) * 1e6;
    const delays = { percentile: (p: number) => (p > 50 ? longest : loopInterval * 1e6 - 1e3) };
    setProcessGauges(registry, { ...delays, max: longest } as Parameters<
      typeof setProcessGauges
    >[1]);
    const told = await registry.metrics();
    assert.match(told, /^nodejs_eventloop_lag_p50_seconds 0$/m);
    assert.match(told, /^nodejs_eventloop_lag_p99_seconds 0\.03$/m);
    assert.match(told, /^nodejs_eventloop_lag_max_seconds 0\.03$/m);
  });
});
