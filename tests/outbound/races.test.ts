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
      const told = { done: true, was: 'sending', attempts: 1, isWritten: true };
      assert.deepEqual(await queue.skip(exchange), told);
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
    const told = { done: true, was: 'owed', attempts: 0, isWritten: false };
    assert.deepEqual(await queue.skip(skipped), told);
    reading.open();
    await started;
    await until(() => queue.status().depth === 0, 'all is done');
    assert.deepEqual(sent, ['sent']);
    assert.equal((await states(skipped)).at(-1), 'skipped');
    await queue.stop(1000);
  });

  it('what is skipped while it is prepared, or stored as being sent, is not written', async () => {
    for (const step of ['preparing', 'storing'] as const) {
      const [reached, going] = [gate(), gate()];
      const { options, sent, store, states } = scene((journal) => ({
        async append(...all) {
          await journal.append(...all);
          if (step !== 'storing' || !isState(all[2], 'sending')) return;
          reached.open();
          await going.opened;
        },
      }));
      const queue = createQueue({
        ...options,
        async prepare(...all) {
          if (step === 'preparing') {
            reached.open();
            await going.opened;
          }
          return options.prepare(...all);
        },
      });
      await queue.start();
      const [exchange, body] = await store('skipped');
      queue.owed(exchange, body);
      await reached.opened;
      const told = await queue.skip(exchange);
      assert.partialDeepStrictEqual(told, { done: true, isWritten: false });
      going.open();
      await until(() => queue.status().depth === 0, 'it leaves');
      assert.deepEqual([sent, (await states(exchange)).at(-1)], [[], 'skipped']);
      await queue.stop(1000);
    }
  });

  it('what is delivered in the instant in which a person skips it is told as delivered', async () => {
    // The order is given while the journal still says that it is sent: read before, or not yet stored.
    for (const late of ['reading', 'storing'] as const) {
      const [asked, answering, reading, storing] = [gate(), gate(), gate(), gate()];
      const { options, store, states } = scene((journal) => ({
        async outbound(filter) {
          const found = await journal.outbound(filter);
          if (late === 'reading' && filter?.exchange !== undefined) {
            asked.open();
            await reading.opened;
          }
          return found;
        },
        async append(...all) {
          if (late === 'storing' && isState(all[2], 'delivered')) {
            asked.open();
            await storing.opened;
          }
          return journal.append(...all);
        },
      }));
      const queue = createQueue({
        ...options,
        async send(_payload, controlId) {
          await answering.opened;
          return accepted(controlId);
        },
      });
      await queue.start();
      const [exchange, body] = await store('delivered');
      queue.owed(exchange, body);
      await until(async () => (await states(exchange)).at(-1) === 'sending', 'it is sent');
      if (late === 'storing') answering.open();
      const skip = late === 'reading' ? queue.skip(exchange) : undefined;
      await asked.opened;
      if (late === 'reading') answering.open();
      await until(() => queue.status().delivered === 1, 'it is delivered');
      reading.open();
      const told = await (skip ?? queue.skip(exchange));
      assert.deepEqual(told, { done: false, is: 'delivered' });
      storing.open();
      await until(async () => (await states(exchange)).at(-1) === 'delivered', 'it is stored');
      assert.ok(!(await states(exchange)).includes('skipped'));
      assert.deepEqual(await queue.skip(exchange), { done: false, is: 'delivered' });
      await queue.stop(1000);
    }
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
