/** The proof itself: what breaks the law is found, and what does not is let pass. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../engine/events.ts';
import type { Entry, Journal } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { type Evidence, judge } from './law.ts';
import { randomFrom } from './part.ts';
import { parts } from './parts.ts';
import { adt, keyOf } from './samples.ts';

const channel = 'adt-feed';
const delivery = 'adt-feed/epr';

/** Two messages of one key. */
const [first, second] = twoOfOneKey();

function twoOfOneKey(): [string, string] {
  const ids = Array.from({ length: 1000 }, (_, n) => `S0-${n}`);
  const other = ids.slice(1).find((id) => keyOf(id) === keyOf('S0-0'));
  assert.ok(other);
  return ['S0-0', other];
}

/** Store a message as the engine does, each attempt flagged or not. */
async function store(journal: Journal, id: string, attempts: boolean[] = [false]): Promise<void> {
  const exchange = journal.mint();
  const at = exchange;
  const outbound = (note: object): Entry => ({
    kind: 'outbound',
    at,
    note: { to: delivery, ...note },
  });
  const entries: Entry[] = [
    { kind: 'received', at, body: Buffer.from(adt(id)) },
    outbound({ state: 'owed' }),
    ...attempts.map((possibleDuplicate, n) =>
      outbound({
        state: 'sending',
        attempt: n + 1,
        ...(possibleDuplicate && { possibleDuplicate }),
      }),
    ),
    outbound({ state: 'delivered', attempt: attempts.length }),
  ];
  await journal.append(exchange, channel, entries, { controlId: id, state: 'answered' });
}

describe('the law of the proof', () => {
  let data: string;
  let journal: Journal;

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'gatehouse-law-'));
    journal = await openJournal({ folder: data, emit: silent });
  });
  afterEach(async () => {
    await journal.close();
    rmSync(data, { recursive: true, force: true });
  });

  /** What is found broken, when these arrived in this order and all of them were acknowledged. */
  async function found(arrived: string[], change: Partial<Evidence['receiver']> = {}) {
    await journal.close();
    const arrivals = new Map<string, number>();
    for (const id of arrived) arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
    const order = Map.groupBy(arrived, keyOf);
    const receiver = { arrivals, order, accepted: new Set(arrived), altered: [], ...change };
    const senders = { acknowledged: new Set([first, second]), wrong: [] };
    const { broken } = await judge({ senders, receiver, build: adt, data, channel, delivery });
    return broken.map((sentence) => sentence.replace(/^\d+ |:.*$/gs, ''));
  }

  it('lets pass what was stored, delivered in order, and flagged where it came twice', async () => {
    await store(journal, first, [false, true]);
    await store(journal, second);
    assert.deepEqual(await found([first, first, second]), []);
  });

  it('finds a message that is not in the journal', async () => {
    await store(journal, first);
    const broken = await found([first, second]);
    assert.deepEqual(broken, [
      'acknowledged and not in the journal',
      'delivered and not in the journal',
    ]);
  });

  it('finds a message that is in the journal twice', async () => {
    await store(journal, first);
    await store(journal, second);
    await store(journal, second);
    assert.deepEqual(await found([first, second]), ['in the journal more than once']);
  });

  it('finds a message that never arrived, though the journal says so', async () => {
    await store(journal, first);
    await store(journal, second);
    assert.deepEqual(await found([first]), ['acknowledged and never accepted by the receiver']);
  });

  it('finds what came twice and was not flagged, or was sent without being told', async () => {
    await store(journal, first, [false, false]);
    await store(journal, second);
    const broken = await found([first, first, second, second]);
    assert.deepEqual(broken, ['delivered again without being flagged']);
  });

  it('finds what came after a later one of its key', async () => {
    await store(journal, first);
    await store(journal, second, [false, true]);
    assert.deepEqual(await found([second, first, second]), ['delivered out of order']);
  });
});

describe('the parts of the proof', () => {
  it('take 30 minutes at most, and have names and laws of their own', () => {
    const proof = parts.filter(({ suite }) => suite === 'proof');
    const minutes = proof.reduce((sum, part) => sum + part.minutes, 0);
    assert.ok(minutes <= 30, `${minutes} minutes`);
    assert.equal(new Set(parts.map(({ name }) => name)).size, parts.length);
    for (const { law } of parts) assert.match(law, /^[a-z].+[^.]$/);
  });

  it('choose the same for the same seed, and otherwise for another part', () => {
    const five = (seed: number, of: string) => {
      const random = randomFrom(seed, of);
      return Array.from({ length: 5 }, random);
    };
    assert.deepEqual(five(7, 'kill'), five(7, 'kill'));
    assert.notDeepEqual(five(7, 'kill'), five(7, 'power'));
    assert.notDeepEqual(five(7, 'kill'), five(8, 'kill'));
    assert.ok(five(7, 'kill').every((number) => number >= 0 && number < 1));
  });
});
