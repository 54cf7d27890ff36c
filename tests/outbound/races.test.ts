/** What happens to a delivery while something else happens: nothing is sent that must not be. */
import assert from 'node:assert/strict';
import { FaultError } from '../../engine/faults.ts';
import type { Entry, ExchangeId, Journal } from '../../engine/journal/journal.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import type { QueueOptions, Sent } from '../../engine/outbound/outbound.ts';
import { createQueue } from '../../engine/outbound/queue.ts';
import { until } from './lone-feed.ts';

const to = 'c/d';
const retry = { then: 'retry' } as const;

/** Something that is waited for until the test lets it happen. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

function scene(change: (journal: Journal) => Partial<Journal> = () => ({})) {
  let clock = 1;
  const now = () => (clock += 1);
  const stored = memoryJournal(now);
  const journal: Journal = { ...stored, ...change(stored) };
  const sent: string[] = [];
  const options: QueueOptions = {
    ...{ channel: 'c', to, parallel: 2, journal, now, emit: () => {} },
    policy: {
      ...{ AE: retry, AR: retry, CE: retry, CR: retry, unreadable: retry },
      ...{ unanswered: retry, unprocessed: retry, poison: retry },
    },
    backoff: { first: 1, most: 2 },
    laneOf: () => 1,
    prepare: async (_exchange, received) => {
      const controlId = Buffer.from(received).toString();
      if (controlId.startsWith('left out')) return { kind: 'filtered', why: 'left out' };
      return { kind: 'send', payload: received, controlId };
    },
    async send(_payload, controlId) {
      sent.push(controlId);
      return accepted(controlId);
    },
  };
  const store = async (text: string): Promise<[ExchangeId, Buffer]> => {
    const exchange = stored.mint();
    const body = Buffer.from(text);
    await stored.append(exchange, 'c', [
      { kind: 'received', at: now(), body },
      { kind: 'outbound', at: now(), note: { to, state: 'owed' } },
    ]);
    return [exchange, body];
  };
  const states = async (exchange: ExchangeId) =>
    ((await stored.read(exchange))?.entries ?? [])
      .filter(({ kind }) => kind === 'outbound')
      .map(({ note }) => note?.state);
  return { options, sent, store, states };
}

const accepted = (controlId: string): Sent => ({
  reply: Buffer.from(`MSH|^~\\&|||||||ACK|1|P|2.4\rMSA|AA|${controlId}\r`),
});
const isState = (entries: readonly Entry[], state: string) =>
  entries.some(({ note }) => note?.state === state);

describe('while a delivery is under way', () => {
  it('nothing overtakes an outcome that cannot be stored, also behind one that is left out', async () => {
    let full = true;
    const { options, sent, store } = scene((journal) => ({
      async append(...all) {
        if (full && isState(all[2], 'delivered')) throw new FaultError({ name: 'journalFull' });
        return journal.append(...all);
      },
    }));
    const queue = createQueue(options);
    await queue.start();
    for (const text of ['first', 'left out', 'last']) queue.owed(...(await store(text)));
    await until(() => sent.length > 0, 'the first is sent');
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(sent, ['first']);
    full = false;
    await until(() => sent.length === 2, 'the last is sent');
    await queue.stop(1000);
  });

  it('what a person skips stays skipped, though the destination fails meanwhile', async () => {
    for (const fault of ['acknowledgementTimeout', 'acknowledgementUnreadable'] as const) {
      const { options, sent, store, states } = scene();
      const answering = gate();
      const queue = createQueue({
        ...options,
        async send(_payload, controlId) {
          sent.push(controlId);
          await answering.opened;
          return { fault: { name: fault } };
        },
      });
      await queue.start();
      const [exchange, body] = await store('stuck');
      queue.owed(exchange, body);
      await until(() => sent.length === 1, 'it is sent');
      assert.equal(await queue.skip(exchange), true);
      answering.open();
      await until(() => queue.status().depth === 0, 'it leaves');
      // What a restart would find.
      assert.equal((await states(exchange)).at(-1), 'skipped');
      assert.ok(!(await states(exchange)).includes('failed'));
      assert.deepEqual(sent, ['stuck']);
      await queue.stop(1000);
    }
  });

  it('what a person skips while it is being read from the journal is not sent', async () => {
    const reading = gate();
    const { options, sent, store, states } = scene((journal) => ({
      async received(exchange) {
        await reading.opened;
        return journal.received(exchange);
      },
    }));
    const [skipped] = await store('skipped');
    await store('sent');
    const queue = createQueue(options);
    const started = queue.start();
    assert.equal(await queue.skip(skipped), true);
    reading.open();
    await started;
    await until(() => queue.status().depth === 0, 'all is done');
    assert.deepEqual(sent, ['sent']);
    assert.equal((await states(skipped)).at(-1), 'skipped');
    await queue.stop(1000);
  });

  it('a receiver is told that its acknowledgement is stored only where it is', async () => {
    let full = false;
    let told = 0;
    const { options, sent, store } = scene((journal) => ({
      async append(...all) {
        if (full && isState(all[2], 'delivered')) throw new FaultError({ name: 'journalFull' });
        return journal.append(...all);
      },
    }));
    const queue = createQueue({
      ...options,
      async send(_payload, controlId) {
        sent.push(controlId);
        return { ...accepted(controlId), stored: () => (told += 1) } as Sent;
      },
    });
    await queue.start();
    queue.owed(...(await store('stored')));
    await until(() => told === 1, 'it is told');
    full = true;
    queue.owed(...(await store('not stored')));
    await until(() => sent.length === 2, 'it is sent');
    await queue.stop(20);
    assert.equal(told, 1);
  });

  it('a destination that was held and released while it was down is seen to be down', async () => {
    const { options, store } = scene();
    const queue = createQueue({
      ...options,
      backoff: { first: 60_000, most: 60_000 },
      send: async () => ({ fault: { name: 'destinationUnavailable' } }),
    });
    await queue.start();
    queue.owed(...(await store('waits')));
    await until(() => queue.status().state === 'down', 'it is down');
    queue.hold();
    queue.release();
    await until(() => queue.status().state === 'down', 'it is down again');
    await queue.stop(0);
  });
});
