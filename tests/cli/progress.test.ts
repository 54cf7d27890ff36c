/** Long work: what a terminal shows of it, and what Ctrl-C does. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { exits } from '../../bin/cli/exits.ts';
import { CommandError } from '../../bin/cli/output.ts';
import { type Surroundings, withProgress } from '../../bin/cli/progress.ts';

/** A terminal, a keyboard and a clock that moves when it is told to. */
function surroundings(isTTY: boolean, columns = 80) {
  const signals = new EventEmitter();
  const told = { written: '', killed: '', ms: 0 };
  const around: Surroundings = {
    stream: {
      isTTY,
      columns,
      write: (text: unknown) => {
        told.written += String(text);
        return true;
      },
    },
    signals,
    now: () => told.ms,
    kill: (signal) => void (told.killed = signal),
  };
  return { told, signals, around };
}

const rows = { doing: 'importing', unit: 'rows', total: 4000 };
/** What a terminal shows in the end: the line is cleared and written anew. */
const lines = (written: string) =>
  written
    .split('\r')
    .map((line) => line.trimEnd())
    .filter(Boolean);

describe('progress of long work', () => {
  it('is one line on a terminal, with an estimate, and gone at the end', async () => {
    const { told, around } = surroundings(true);
    const result = await withProgress(
      rows,
      async ({ step }) => {
        for (let n = 0; n < 4; n++) {
          told.ms += 2000;
          await step(1000);
        }
        return 'done';
      },
      around,
    );
    assert.equal(result, 'done');
    assert.deepEqual(lines(told.written), [
      'importing 0 of 4,000 rows, 0 %',
      'importing 1,000 of 4,000 rows, 25 %, 6 s left',
      'importing 2,000 of 4,000 rows, 50 %, 4 s left',
      'importing 3,000 of 4,000 rows, 75 %, 2 s left',
      'importing 4,000 of 4,000 rows, 100 %',
    ]);
    assert.match(told.written, /\r +\r$/);
    assert.doesNotMatch(told.written, /\u001b/);
  });

  it('is drawn ten times a second at most, and never wider than the terminal', async () => {
    const { told, around } = surroundings(true, 20);
    await withProgress(
      { doing: 'exporting', unit: 'messages' },
      async ({ step }) => {
        for (let n = 0; n < 1000; n++) {
          told.ms += 1;
          await step();
        }
      },
      around,
    );
    const drawn = lines(told.written);
    assert.ok(drawn.length >= 9 && drawn.length <= 11, `${drawn.length}`);
    assert.equal(drawn.at(-1)?.slice(0, 10), 'exporting ');
    assert.ok(drawn.every((line) => line.length < 20));
  });

  it('says nothing where there is no terminal, and leaves no listener behind', async () => {
    const { told, signals, around } = surroundings(false);
    await withProgress(rows, async ({ step }) => void ((told.ms += 5000), await step(1)), around);
    assert.equal(told.written, '');
    assert.equal(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM'), 0);
  });

  it('finishes the step in hand on Ctrl-C, and says what is done and what comes next', async () => {
    for (const isTTY of [true, false]) {
      const { told, signals, around } = surroundings(isTTY);
      let whole = 0;
      const working = withProgress(
        rows,
        async ({ step }) => {
          for (;;) {
            whole += 10;
            if (whole === 30) signals.emit('SIGINT', 'SIGINT');
            await step(10);
          }
        },
        around,
      );
      await assert.rejects(working, (error: unknown) => {
        assert.ok(error instanceof CommandError);
        assert.equal(error.exit, exits.partly);
        assert.equal(
          error.message,
          'importing was interrupted: 30 of 4,000 rows are done, and stay so',
        );
        assert.match(error.next ?? '', /again/);
        return true;
      });
      assert.equal(whole, 30);
      assert.equal(/stopping after the step in hand/.test(told.written), isTTY);
      assert.equal(told.killed, '');
      assert.equal(signals.listenerCount('SIGINT'), 0);
    }
  });

  it('hears a Ctrl-C though the work itself never waits', async () => {
    const { told, signals, around } = surroundings(true);
    let steps = 0;
    const working = withProgress(
      rows,
      async ({ step }) => {
        // A turn of the loop is what a signal needs to be heard.
        void nextTurn().then(() => signals.emit('SIGTERM', 'SIGTERM'));
        for (; steps < 1_000_000; steps++) {
          told.ms += 1;
          await step();
        }
      },
      around,
    );
    await assert.rejects(working, /interrupted/);
    assert.ok(steps < 1000, `${steps}`);
  });

  it('ends work that waits for something else, by its signal', async () => {
    const { signals, around } = surroundings(false);
    const working = withProgress(
      { ...rows, afterwards: 'gatehouse store verify' },
      ({ signal }) => {
        setImmediate(() => signals.emit('SIGINT', 'SIGINT'));
        return sleep(60_000, undefined, { signal });
      },
      around,
    );
    await assert.rejects(working, (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.next, 'gatehouse store verify');
      return /0 of 4,000/.test(error.message);
    });
  });

  it('ends the process at once on the second Ctrl-C', async () => {
    const { told, signals, around } = surroundings(true);
    const working = withProgress(
      rows,
      async ({ step }) => {
        signals.emit('SIGINT', 'SIGINT');
        signals.emit('SIGINT', 'SIGINT');
        assert.equal(told.killed, 'SIGINT');
        await step();
      },
      around,
    );
    await assert.rejects(working, /interrupted/);
  });

  it('passes on an error of the work as it is', async () => {
    const { around } = surroundings(true);
    const failing = withProgress(rows, () => Promise.reject(new Error('the disk is full')), around);
    await assert.rejects(failing, { message: 'the disk is full' });
  });
});
