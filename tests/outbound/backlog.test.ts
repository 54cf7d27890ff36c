/** What a queue holds, and what it leaves on the disk. */
import assert from 'node:assert/strict';
import { FaultError } from '../../engine/faults.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import { createBacklog } from '../../engine/outbound/backlog.ts';
import { createLanes } from '../../engine/outbound/lanes.ts';

const to = 'c/d';

/** A journal that holds so many owed messages, of so many bytes each. */
async function journalOf(count: number, bytes = 4) {
  let clock = 1;
  const journal = memoryJournal(() => (clock += 1));
  const owe = async () => {
    const exchange = journal.mint();
    const body = Buffer.alloc(bytes, 'x');
    await journal.append(exchange, 'c', [
      { kind: 'received', at: exchange, body },
      { kind: 'outbound', at: exchange, note: { to, state: 'owed' } },
    ]);
    return { exchange, body };
  };
  for (let n = 0; n < count; n++) await owe();
  return { journal, owe };
}

function backlogOf(journal: Awaited<ReturnType<typeof journalOf>>['journal']) {
  const lanes = createLanes();
  const signal = new AbortController().signal;
  const backlog = createBacklog({ journal, to, laneOf: () => 1 }, lanes, signal);
  /** The next message is delivered. */
  const deliver = async () => {
    const one = lanes.take();
    assert.ok(one);
    lanes.leave(one);
    await journal.append(one.exchange, 'c', [
      { kind: 'outbound', at: 1, note: { to, state: 'delivered' } },
    ]);
    backlog.left(one);
    if (backlog.more()) await backlog.refill();
    return one.exchange;
  };
  return { lanes, backlog, deliver };
}

describe('a backlog', () => {
  it('beyond what memory holds waits on the disk, and comes in order, each once', async function () {
    this.timeout(10_000);
    const { journal, owe } = await journalOf(11_500);
    const { lanes, backlog, deliver } = backlogOf(journal);
    await backlog.start();
    assert.ok(backlog.more());
    assert.ok(lanes.size() <= 11_000, `${lanes.size()} are held`);
    const delivered = new Set<number>();
    let last = 0;
    for (let n = 0; lanes.size() > 0; n++) {
      if (n < 20) {
        const { exchange, body } = await owe();
        backlog.add(exchange, body);
      }
      const exchange = await deliver();
      assert.ok(exchange > last, 'in order');
      last = exchange;
      delivered.add(exchange);
    }
    assert.equal(delivered.size, 11_520);
    assert.equal(backlog.more(), false);
  });

  it('holds so many bytes; the others are read again when their turn comes', async () => {
    const { journal } = await journalOf(40, 1024 * 1024);
    const { lanes, backlog } = backlogOf(journal);
    await backlog.start();
    assert.equal(lanes.size(), 40);
    let bytes = 0;
    for (let one = lanes.take(); one; one = lanes.take()) {
      bytes += one.received?.length ?? 0;
      lanes.leave(one);
      backlog.left(one);
    }
    assert.ok(bytes <= 16 * 1024 ** 2 && bytes > 10 * 1024 ** 2, `${bytes} bytes were held`);
  });

  it('outlives a journal that cannot be read in the middle, and holds nothing twice', async () => {
    const { journal } = await journalOf(10);
    let reads = 0;
    const failing: typeof journal = {
      ...journal,
      async received(exchange) {
        reads += 1;
        if (reads === 5) throw new FaultError({ name: 'journalUnavailable' });
        return journal.received(exchange);
      },
    };
    const { lanes, backlog } = backlogOf(failing);
    await assert.rejects(backlog.start());
    assert.equal(lanes.size(), 0);
    await backlog.refill();
    assert.equal(lanes.size(), 10);
  });
});
