/** The law of a delivery, under failures at random: at least once, in order, and no copy unflagged. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ExchangeId, Journal } from '../../engine/journal/journal.ts';
import { FaultError } from '../../engine/faults.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import { createBacklog } from '../../engine/outbound/backlog.ts';
import { backoffMs, createTimers } from '../../engine/outbound/backoff.ts';
import { createLanes } from '../../engine/outbound/lanes.ts';
import type { Send, Sent } from '../../engine/outbound/outbound.ts';
import { createQueue } from '../../engine/outbound/queue.ts';
import { until } from './lone-feed.ts';

type Fate = 'ok' | 'down' | 'lost' | 'unread' | 'AE' | 'CE' | 'garbage';

/**
 * A receiver that remembers what it got, and fails as it is told.
 * @param arriving called with each message before it counts as arrived
 */
function modelReceiver(fates: Fate[], arriving: (id: string) => Promise<void>) {
  const got: { id: string; accepted: boolean }[] = [];
  const underWay = new Set<string>();
  let overtaken = false;
  const send: Send = async (payload, controlId): Promise<Sent> => {
    const lane = controlId.split('.')[0] ?? '';
    if (underWay.has(lane)) overtaken = true;
    underWay.add(lane);
    await arriving(controlId);
    await new Promise(setImmediate);
    underWay.delete(lane);
    const fate = fates.shift() ?? 'ok';
    const accepted = fate === 'ok' || fate === 'lost' || fate === 'unread';
    if (fate !== 'down') got.push({ id: controlId, accepted });
    switch (fate) {
      case 'down':
        return { fault: { name: 'destinationUnavailable' } };
      case 'lost':
        return { fault: { name: 'acknowledgementTimeout' } };
      case 'unread':
        return { fault: { name: 'acknowledgementUnreadable' }, reply: Buffer.from('?') };
      case 'garbage':
        return { reply: Buffer.from(`MSH|^~\\&|||||||ACK|1|P|2.4\rMSA|??|${controlId}\r`) };
      default: {
        const code = fate === 'ok' ? 'AA' : fate;
        return { reply: Buffer.from(`MSH|^~\\&|||||||ACK|1|P|2.4\rMSA|${code}|${controlId}\r`) };
      }
    }
  };
  return { got, send, overtaken: () => overtaken };
}

/** A journal that cannot store now and then. */
function flaky(journal: Journal, fails: () => boolean): Journal {
  return {
    ...journal,
    append: async (...all) => {
      if (fails()) throw new FaultError({ name: 'journalUnavailable' });
      return journal.append(...all);
    },
  };
}

describe('the order of deliveries', () => {
  it('is kept in each lane, at least once, with no copy unflagged, whatever fails, over restarts', async function () {
    this.timeout(20_000);
    const fate = fc.constantFrom<Fate>('ok', 'ok', 'down', 'lost', 'unread', 'AE', 'CE', 'garbage');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 25 }),
        fc.array(fate, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 2 }),
        fc.array(fc.boolean(), { maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 6 }),
        async (lanes, fates, parallel, restarts, failing, leftOut) => {
          let clock = 1;
          const now = () => (clock += 1);
          const stored = memoryJournal(now);
          const journal = flaky(stored, () => failing.shift() === true);
          const ids: [ExchangeId, string][] = [];
          let early = '';
          const isLeftOut = (id: string) => leftOut.includes(Number(id.split('.')[1]));
          const end = (id: string) => (isLeftOut(id) ? 'filtered' : 'delivered');
          const receiver = modelReceiver([...fates], async (id) => {
            const own = ids.filter(([, one]) => one.split('.')[0] === id.split('.')[0]);
            for (const [exchange, one] of own) {
              if (one === id) break;
              const entries = (await stored.read(exchange))?.entries;
              if (entries?.at(-1)?.note?.state !== end(one)) early = id;
            }
          });
          const retry = { then: 'retry' } as const;
          const start = async () => {
            const queue = createQueue({
              ...{ channel: 'c', to: 'c/d', parallel, journal, now, emit: () => {} },
              policy: {
                ...{ AE: retry, AR: retry, CE: retry, CR: retry, unreadable: retry },
                ...{ unanswered: retry, unprocessed: retry, poison: retry },
              },
              backoff: { first: 0, most: 1 },
              laneOf: (received) => Number(Buffer.from(received).toString().split('.')[0]),
              prepare: async (_exchange, received) => {
                const controlId = Buffer.from(received).toString();
                if (isLeftOut(controlId)) return { kind: 'filtered', why: 'left out' };
                return { kind: 'send', payload: received, controlId };
              },
              send: receiver.send,
            });
            await queue.start();
            return queue;
          };
          let queue = await start();
          for (const [n, lane] of lanes.entries()) {
            const exchange = stored.mint();
            const body = Buffer.from(`${lane}.${n}`);
            await stored.append(exchange, 'c', [
              { kind: 'received', at: now(), body },
              { kind: 'outbound', at: now(), note: { to: 'c/d', state: 'owed' } },
            ]);
            ids.push([exchange, body.toString()]);
            queue.owed(exchange, body);
            if (!restarts.includes(n)) continue;
            await new Promise((resolve) => setTimeout(resolve, 3));
            await queue.stop(0);
            queue = await start();
          }
          await until(() => queue.status().depth === 0, 'everything delivered');
          await queue.stop(1000);

          for (const lane of [0, 1, 2, 3]) {
            const own = receiver.got.filter(
              ({ id, accepted }) => accepted && id.startsWith(`${lane}.`),
            );
            const firsts = [...new Set(own.map(({ id }) => id))];
            const owed = ids
              .map(([, id]) => id)
              .filter((id) => id.startsWith(`${lane}.`) && !isLeftOut(id));
            assert.deepEqual(firsts, owed, 'each at least once, in order');
            // A copy comes right behind its first: nothing of the lane overtakes it.
            const numbers = own.map(({ id }) => Number(id.split('.')[1]));
            assert.deepEqual(
              numbers,
              numbers.toSorted((a, b) => a - b),
            );
          }
          assert.equal(receiver.overtaken(), false, 'one of a lane at a time');
          assert.equal(early, '', 'sent before the journal had the outcome of the one before');
          for (const [exchange, id] of ids) {
            const arrivals = receiver.got.filter((one) => one.id === id && one.accepted).length;
            const { entries = [] } = (await stored.read(exchange)) ?? {};
            const sendings = entries.filter(({ note }) => note?.state === 'sending');
            const flagged = sendings.filter(({ note }) => note?.possibleDuplicate === true);
            assert.ok(
              flagged.length >= arrivals - 1,
              `${arrivals} arrivals, ${flagged.length} flags`,
            );
            assert.equal(entries.at(-1)?.note?.state, end(id));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('remembers over a restart that an attempt before the last may have arrived', async () => {
    let clock = 1;
    const now = () => (clock += 1);
    const journal = memoryJournal(now);
    const sent = { to: 'c/d', state: 'sending' };
    await journal.append(1, 'c', [
      { kind: 'received', at: 1, body: Buffer.from('0.0') },
      { kind: 'outbound', at: 2, note: { ...sent, attempt: 1 } },
      { kind: 'outbound', at: 3, note: { to: 'c/d', state: 'failed', fault: 'GH-7002' } },
      { kind: 'outbound', at: 4, note: { ...sent, attempt: 2, possibleDuplicate: true } },
      { kind: 'outbound', at: 5, note: { to: 'c/d', state: 'failed', fault: 'GH-7001' } },
    ]);
    const lanes = createLanes();
    const options = { journal, to: 'c/d', laneOf: () => 0 };
    await createBacklog(options, lanes, new AbortController().signal).start();
    assert.equal(lanes.take()?.ambiguous, true);
  });

  it('is held up by no wait once it stops', async () => {
    const timers = createTimers();
    let rung = 0;
    timers.after(1, () => (rung += 1));
    timers.after(1, () => (rung += 10))();
    timers.close();
    timers.after(1, () => (rung += 100));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(rung, 0);
  });

  it('waits longer each time, never longer than told, and never all at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (first, most, failures, random) => {
          const wait = backoffMs({ first, most }, failures, random);
          const full = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
          assert.ok(wait >= Math.floor(full / 2) && wait <= Math.min(most, full));
          assert.ok(backoffMs({ first, most }, failures + 1, random) >= wait);
        },
      ),
    );
    const spread = new Set(
      Array.from({ length: 20 }, (_, n) => backoffMs({ first: 1000, most: 60_000 }, 9, n / 20)),
    );
    assert.equal(spread.size, 20);
  });
});
