/** The same bytes on another channel: they are no repeat there, or that channel would never deliver them. */
import assert from 'node:assert/strict';
import { startReceiver } from '../outbound/receiver.ts';
import { ask } from '../world.ts';
import { type SmallSite, adt, adtChannel, delivered, smallSite, until } from './small-site.ts';

describe('the same bytes on two channels', function () {
  this.timeout(20_000);
  let site: SmallSite;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;

  before(async () => {
    receiver = await startReceiver();
    site = smallSite({
      first: adtChannel('first'),
      narrow: adtChannel('narrow').replace('[ADT^A01, ADT^A08]', '[ADT^A01]'),
      second: adtChannel('second', delivered(receiver.port)),
    });
    await site.start();
  });
  after(async () => {
    await site.close();
    await receiver.close();
  });

  const sent = async (channel: string, message: string) =>
    (await ask(site.engine.ports[channel] ?? 0, message)).get('MSA-1');

  it('are worked on by each, and repeats only where they came before', async () => {
    const message = adt('SAME');
    assert.equal(await sent('narrow', message), 'AR');
    assert.equal(await sent('first', message), 'AA');
    assert.equal(await sent('second', message), 'AA');
    assert.equal(await sent('second', message), 'AA');
    await until(() => receiver.messages.length > 0, 'it is delivered');
    const repeats = async (channel: string) =>
      (await site.engine.journal.list({ channel })).map(({ repeatOf }) => repeatOf !== null);
    assert.deepEqual(await repeats('first'), [false]);
    assert.deepEqual(await repeats('second'), [true, false]);
    assert.deepEqual(receiver.ids(), ['SAME']);
  });
});
