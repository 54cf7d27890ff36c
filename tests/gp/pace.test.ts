/** How often a service is asked, on a clock of our own: no test here waits. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Clock, createPace, sharedPaces } from '../../engine/gp/pace.ts';

/** A clock on which time passes only when everybody waits. */
function simulated() {
  let now = 0;
  const sleepers: { until: number; wake: (went: boolean) => void }[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleepers.push({ until: now + ms, wake: resolve });
        signal.addEventListener('abort', () => resolve(false));
      }),
  };
  /** Let so much time pass, and wake whoever waits for a moment in it. */
  const pass = async (ms: number) => {
    const end = now + ms;
    for (;;) {
      await new Promise(setImmediate);
      const next = sleepers.sort((a, b) => a.until - b.until)[0];
      if (!next || next.until > end) break;
      sleepers.shift();
      now = next.until;
      next.wake(true);
    }
    now = end;
  };
  return { clock, pass };
}

const patient = (ms = 60_000) => ({ signal: new AbortController().signal, left: () => ms });

describe('the pace at which a service is asked', () => {
  it('lets the first requests go at once, and the next ones wait for their turn', async () => {
    const { clock, pass } = simulated();
    const pace = createPace(() => 5, clock);
    const times: number[] = [];
    const all = Array.from({ length: 12 }, async () => {
      assert.equal(await pace.turn(patient()), true);
      times.push(clock.now());
    });
    await pass(60_000);
    await Promise.all(all);
    assert.deepEqual(times, [0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 2000, 2000]);
  });

  it('never lets more than its number go within any second, and nobody overtakes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 25 }),
        async (perSecond, gaps) => {
          const { clock, pass } = simulated();
          const pace = createPace(() => perSecond, clock);
          const went: [number, number][] = [];
          const all: Promise<void>[] = [];
          for (const [index, gap] of gaps.entries()) {
            await pass(gap);
            all.push(
              pace.turn(patient(1e9)).then((given) => {
                assert.ok(given);
                went.push([clock.now(), index]);
              }),
            );
          }
          await pass(60_000);
          await Promise.all(all);
          assert.equal(went.length, gaps.length);
          const times = went.map(([time]) => time).sort((a, b) => a - b);
          for (const [at, time] of times.entries()) {
            const earlier = times[at - perSecond];
            assert.ok(earlier === undefined || time - earlier >= 1000, `${earlier} and ${time}`);
          }
          const order = went.map(([, index]) => index);
          assert.deepEqual(
            order,
            order.toSorted((a, b) => a - b),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('says so at once where the turn would come after the deadline, and takes none', async () => {
    const { clock, pass } = simulated();
    const pace = createPace(() => 1, clock);
    assert.equal(await pace.turn(patient()), true);
    assert.equal(await pace.turn(patient(999)), false);
    const next = pace.turn(patient(1000)).then((given) => given && clock.now() === 1000);
    await pass(60_000);
    assert.equal(await next, true);
  });

  it('ends with the attempt', async () => {
    const { clock } = simulated();
    const pace = createPace(() => 1, clock);
    const controller = new AbortController();
    await pace.turn(patient());
    const waiting = pace.turn({ signal: controller.signal, left: () => 60_000 });
    controller.abort();
    assert.equal(await waiting, false);
    assert.equal(await pace.turn({ signal: controller.signal, left: () => 60_000 }), false);
  });

  it('keeps quiet as long as the service wants, those who already wait included', async () => {
    const { clock, pass } = simulated();
    const pace = createPace(() => 1, clock);
    await pace.turn(patient());
    const waiting = pace.turn(patient()).then((given) => given && clock.now() >= 5000);
    pace.pause(5000);
    assert.equal(await pace.turn(patient(4999)), false, 'too long for this one');
    await pass(60_000);
    assert.equal(await waiting, true);
  });

  it('is shared by all who ask the same address, at the smallest figure', async () => {
    const paces = sharedPaces();
    const first = paces('https://pds.example/', 5);
    assert.equal(paces('https://pds.example/', 1), first);
    assert.notEqual(paces('https://sds.example/', 5), first);
    assert.equal(await first.turn(patient(0)), true);
    assert.equal(await first.turn(patient(0)), false);
  });
});
