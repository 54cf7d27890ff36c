/** Messages owed to a destination that no channel names any more: shown, and a person decides. */
import assert from 'node:assert/strict';
import { channelSchema } from '../../engine/channel.ts';
import type { QueueRow } from '../../engine/control/queues.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { silent } from '../../engine/events.ts';
import { type World, ask, startWorld } from '../world.ts';

function adt(id: string): string {
  return `MSH|^~\\&|MILLENNIUM|R0A|G|R|20260604||ADT^A08^ADT_A01|${id}|P|2.4\rPID|1||1^^^X^MR\r`;
}

describe('a destination that is taken out of a channel', () => {
  let world: World;
  const asked = async <T>(method: string, path: string, input: object = {}): Promise<T> => {
    const all = controlRoutes(world.engine, silent);
    const found = all.find((one) => one.method === method && one.path === path);
    return (await found?.answer(input))?.body as T;
  };
  const rows = async () => (await asked<{ queues: QueueRow[] }>('GET', '/v1/queues')).queues;

  before(async () => {
    world = await startWorld((site) => {
      const loaded = site.channels.find(({ channel }) => channel.channel === 'adt-feed');
      assert.ok(loaded);
      const { deliver, destinations } = channelSchema.parse({
        ...{ channel: 'x', listen: { port: 0 }, route: 'adt', keep: '1d', accepts: ['ADT'] },
        us: { application: 'A', facility: 'B' },
        senders: [{ application: '*', facility: '*' }],
        destinations: { epr: { kind: 'feed', port: 1 } },
        deliver: [{ to: 'epr' }],
      });
      Object.assign(loaded.channel, { deliver, destinations });
      site.channels = [loaded];
    });
  });
  after(() => world.close());

  it('is shown as removed while messages are owed to it; they can be skipped, not replayed', async () => {
    const by = 'a.smith';
    await asked('POST', '/v1/queue/hold', { to: 'epr', by });
    for (const id of ['M1', 'M2']) await ask(world.engine.ports['adt-feed'] ?? 0, adt(id));
    const [feed] = world.site.channels;
    if (feed) feed.channel.deliver = [];
    await world.restart();
    const [removed] = await rows();
    assert.deepEqual([removed?.to, removed?.state, removed?.depth], ['adt-feed/epr', 'removed', 2]);
    const { waiting } = await asked<{ waiting: { id: string }[] }>('GET', '/v1/queue', {
      to: 'epr',
    });
    const [first, second] = waiting;
    const reason = 'the EPR is gone';
    await asked('POST', '/v1/queue/skip', { to: 'epr', id: first?.id, by, reason });
    assert.equal((await rows())[0]?.depth, 1);
    const { rows: replayed } = await asked<{ rows: { outcome: string; why: string }[] }>(
      'POST',
      '/v1/replay',
      { ids: [second?.id], by },
    );
    assert.deepEqual(
      replayed.map(({ outcome, why }) => [outcome, why]),
      [['refused', 'it is still on its way to adt-feed/epr']],
    );
    await asked('POST', '/v1/queue/skip', { to: 'adt-feed/epr', id: second?.id, by, reason });
    assert.deepEqual(await rows(), []);
  });
});
