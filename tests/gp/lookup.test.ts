import assert from 'node:assert/strict';
import { createLookup } from '../../engine/gp/lookup.ts';
import type { Pace } from '../../engine/gp/pace.ts';
import { type Handler, attempt, client, closeAll, json, serve } from './outside.ts';

/** Look something up at a pace that is written down. */
async function look(handler: Handler, turn: Pace['turn'] = () => Promise.resolve(true)) {
  const server = await serve(handler);
  const pauses: number[] = [];
  const pace: Pace = { turn, pause: (ms) => pauses.push(ms) };
  const ask = createLookup({ access: { kind: 'none' }, pace }, client(), 'directoryUnavailable');
  const request = {
    interaction: 'SDS Endpoint',
    method: 'GET',
    url: server.url,
    headers: {},
  } as const;
  return { looked: await ask(request, attempt()), pauses, server };
}

const after = (status: number, value: string | undefined): Handler => {
  return (_, response) => {
    if (value !== undefined) response.setHeader('Retry-After', value);
    response.writeHead(status).end('{}');
  };
};

describe('a look-up', () => {
  afterEach(closeAll);

  it('gives the status with its JSON', async () => {
    const { looked } = await look(json(404, { a: 1 }));
    assert.ok(!looked.failed);
    assert.deepEqual([looked.status, looked.json, looked.hops.length], [404, { a: 1 }, 1]);
  });

  const waits: [number, string | undefined, number | undefined][] = [
    [429, '7', 7000],
    [503, ' 0 ', 0],
    [429, undefined, undefined],
    [429, 'soon', undefined],
    [429, '-5', undefined],
    [429, new Date(Date.now() - 5000).toUTCString(), 0],
    [500, '7', undefined],
    [200, '7', undefined],
  ];
  for (const [status, value, expected] of waits) {
    it(`after ${status} with Retry-After ${value} waits ${expected ?? 'for nothing'}`, async () => {
      const { looked, pauses } = await look(after(status, value));
      assert.ok(!looked.failed && looked.status === status);
      assert.deepEqual(pauses, expected === undefined ? [] : [expected]);
    });
  }

  it('reckons a date in Retry-After from now', async () => {
    const { pauses } = await look(after(429, new Date(Date.now() + 3_600_000).toUTCString()));
    assert.ok(pauses[0] !== undefined && pauses[0] > 3_500_000 && pauses[0] <= 3_600_000);
  });

  it('without a turn before the deadline asks nobody, and may be tried again', async () => {
    const { looked, server } = await look(json(200, {}), () => Promise.resolve(false));
    assert.equal(looked.failed?.event, 'transient');
    assert.equal(looked.failed.fault?.name, 'directoryUnavailable');
    assert.match(looked.failed.fault.detail ?? '', /rate limit/);
    assert.deepEqual([server.connections(), looked.failed.hops], [0, []]);
  });

  it('ends with timeout where the deadline comes while it waits for its turn', async () => {
    const controller = new AbortController();
    const pace: Pace = {
      turn: () => {
        controller.abort();
        return Promise.resolve(false);
      },
      pause: () => {},
    };
    const ask = createLookup({ access: { kind: 'none' }, pace }, client(), 'traceUnavailable');
    const request = {
      interaction: 'PDS read',
      method: 'GET',
      url: 'http://127.0.0.1:1',
      headers: {},
    } as const;
    const looked = await ask(request, attempt({ signal: controller.signal }));
    assert.equal(looked.failed?.event, 'timeout');
    assert.equal(looked.failed.fault?.name, 'deadlinePassed');
  });
});
