import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Entry, EntryKind, Journal } from '../../engine/journal/journal.ts';
import { openJournal } from '../../engine/journal/sqlite.ts';
import { faultOf, receive, recordEvents, temporaryFolder } from './folder.ts';

describe('the journal keeps what it is given', () => {
  const { folder, remove } = temporaryFolder();
  let journal: Journal;
  before(async () => {
    journal = await openJournal({ folder, emit: recordEvents().emit });
  });
  after(async () => {
    await journal.close();
    remove();
  });

  it('mints ids that are microseconds of now and only grow', () => {
    const ids = Array.from({ length: 5000 }, () => journal.mint());
    assert.ok(Math.abs((ids[0] ?? 0) / 1000 - Date.now()) < 5000);
    assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0)));
  });

  it('gives every entry back, byte for byte and in order, whatever was appended at the same time', async () => {
    const kind = fc.constantFrom<EntryKind>(
      'received',
      'broken',
      'step',
      'asking',
      'reply',
      'answer',
    );
    const entry = fc.record(
      {
        kind,
        at: fc.integer({ min: 0, max: 2 ** 52 }),
        note: fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          fc.jsonValue(),
          {
            noNullPrototype: true,
          },
        ),
        body: fc.uint8Array({ maxLength: 3000 }),
      },
      { requiredKeys: ['kind', 'at'] },
    );
    const exchanges = fc.array(fc.array(fc.array(entry, { maxLength: 4 }), { minLength: 1 }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(exchanges, async (given) => {
        const ids = given.map(() => journal.mint());
        const appends = given.flatMap((parts, index) =>
          parts.map((entries) => journal.append(ids[index] ?? 0, `c${index % 3}`, entries)),
        );
        await Promise.all(appends);
        for (const [index, parts] of given.entries()) {
          const stored = await journal.read(ids[index] ?? 0);
          // JSON has no -0.
          const expected = parts.flat().map((one) => plain(one));
          assert.deepEqual(stored?.entries, expected);
          assert.equal(stored?.channel, `c${index % 3}`);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('gives what was received to whoever finds the exchange, indexed or not', async () => {
    const body = Buffer.from('MSH|^~\\&|');
    const note = { to: 'adt-feed/epr', state: 'owed' };
    const beside = await openJournal({ folder, readOnly: true, emit: recordEvents().emit });
    try {
      for (let round = 0; round < 50; round++) {
        const id = journal.mint();
        const stored = journal.append(id, 'adt-feed', [
          { kind: 'received', at: id, body },
          { kind: 'outbound', at: id, note },
        ]);
        // Committed is committed: others see it before the engine itself is told that it is.
        for (const reader of [journal, beside]) {
          for (const { exchange } of await reader.outbound({ to: 'adt-feed/epr', after: id - 1 })) {
            assert.deepEqual(Buffer.from((await reader.received(exchange)) ?? []), body);
          }
        }
        await stored;
        assert.deepEqual(Buffer.from((await beside.received(id)) ?? []), body);
      }
    } finally {
      await beside.close();
    }
  });

  it('keeps its own copy: the sender may reuse its buffer at once', async () => {
    const id = journal.mint();
    const body = Buffer.from('the original');
    const stored = journal.append(id, 'adt-feed', [{ kind: 'received', at: id, body }]);
    body.fill(0);
    await stored;
    assert.equal(text((await journal.read(id))?.entries[0]), 'the original');
  });

  it('keeps a body of megabytes beside small ones', async () => {
    const id = journal.mint();
    const body = Buffer.alloc(5_000_000, 'reply ');
    await Promise.all([
      receive(journal, 'before'),
      journal.append(id, 'adt-feed', [{ kind: 'reply', at: id, body }]),
      receive(journal, 'behind'),
    ]);
    assert.ok(Buffer.from((await journal.read(id))?.entries[0]?.body ?? []).equals(body));
  });

  it('rejects a note that is not JSON, and stores the others of that commit', async () => {
    const id = journal.mint();
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const bad = journal.append(id, 'adt-feed', [{ kind: 'step', at: id, note: circular }]);
    const good = receive(journal, 'good');
    await assert.rejects(bad, TypeError);
    assert.ok(await journal.read(await good));
    assert.equal(await journal.read(id), undefined);
  });

  it('gives the entry that began an exchange, at once', async () => {
    const [whole, broken] = [journal.mint(), journal.mint()];
    const body = Buffer.from('bytes');
    const note = { of: 'HOFRZF4MQ0' };
    await journal.append(whole, 'adt-feed', [
      { kind: 'received', at: whole, note, body },
      { kind: 'step', at: whole },
    ]);
    await journal.append(broken, 'adt-feed', [{ kind: 'broken', at: broken, body }]);
    assert.deepEqual(
      plain((await journal.beginning(whole)) ?? assert.fail()),
      plain({ kind: 'received', at: whole, note, body }),
    );
    assert.equal((await journal.beginning(broken))?.kind, 'broken');
    assert.equal(await journal.received(broken), undefined);
    assert.equal(await journal.beginning(journal.mint()), undefined);
  });

  it('knows nothing of an exchange that was minted but not appended', async () => {
    assert.equal(await journal.read(journal.mint()), undefined);
  });

  it('sums up an exchange over its appends: the later word counts, silence changes nothing', async () => {
    const id = journal.mint();
    const at = 1_700_000_000_000_000;
    const sent = { sender: 'PAS|RXX', controlId: 'Q1', type: 'QBP^Q11^QBP_Q11' };
    await journal.append(id, 'gp-record', [{ kind: 'received', at }], {
      ...sent,
      state: 'received',
    });
    await journal.append(id, 'gp-record', [{ kind: 'asking', at: at + 5 }], { state: 'asking' });
    assert.equal((await journal.list({ controlId: 'Q1' }))[0]?.delivery, null);
    const answer: Entry = { kind: 'answer', at: at + 900, body: Buffer.from('MSA') };
    const end = { state: 'rejected', fault: 'GH-5001', practice: 'A81001' } as const;
    await journal.append(id, 'gp-record', [answer], end);
    assert.deepEqual(await journal.list({ controlId: 'Q1' }), [
      {
        id,
        channel: 'gp-record',
        state: 'rejected',
        delivery: 'owed',
        ...sent,
        practice: 'A81001',
        fault: 'GH-5001',
        repeatOf: null,
        took: 900,
      },
    ]);
  });

  it('shows a settled answer as delivered, and the mark as its last entry', async () => {
    const id = journal.mint();
    await journal.append(id, 'adt-feed', [{ kind: 'answer', at: id }], { state: 'answered' });
    journal.settle(id, 'delivered');
    await receive(journal, 'the next commit takes the mark along');
    const stored = await journal.read(id);
    assert.equal(stored?.delivery, 'delivered');
    assert.deepEqual(
      stored?.entries.map((entry) => entry.kind),
      ['answer', 'delivered'],
    );
  });

  it('stores a mark within about a second when nothing else comes', async () => {
    const id = journal.mint();
    await journal.append(id, 'adt-feed', [{ kind: 'answer', at: id }]);
    journal.settle(id, 'undelivered');
    while ((await journal.read(id))?.delivery !== 'undelivered') {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});

describe('the journal finds exchanges', () => {
  const { folder, remove } = temporaryFolder();
  let journal: Journal;
  const ids: number[] = [];
  before(async () => {
    journal = await openJournal({ folder, emit: recordEvents().emit });
    const of = (n: number) => ({
      controlId: `C${n}`,
      sender: n % 2 ? 'PAS|RXX' : 'LAB|RYY',
      patient: n % 3 ? '9434765919' : '9434765870',
      practice: n % 4 ? undefined : 'A81001',
      fault: n % 5 ? undefined : 'GH-5001',
      state: n % 5 ? ('answered' as const) : ('rejected' as const),
      fingerprint: `print ${n % 6}`,
    });
    for (let n = 0; n < 30; n++) ids.push(await receive(journal, `message ${n}`, of(n)));
    const id = journal.mint();
    await journal.append(id, 'other', [{ kind: 'broken', at: id }], { repeatOf: ids[3] });
    ids.push(id);
  });
  after(async () => {
    await journal.close();
    remove();
  });

  const found = async (filter: Parameters<Journal['list']>[0]): Promise<number[]> =>
    (await journal.list(filter)).map(({ id }) => ids.indexOf(id));
  const numbers = (wanted: (n: number) => boolean): number[] =>
    Array.from({ length: 30 }, (_, n) => 29 - n).filter(wanted);

  it('newest first, fifty unless told', async () => {
    assert.deepEqual(await found({ limit: 3 }), [30, 29, 28]);
    assert.equal((await journal.list()).length, 31);
  });
  it('by each key', async () => {
    assert.deepEqual(await found({ controlId: 'C7' }), [7]);
    assert.deepEqual(
      await found({ sender: 'LAB|RYY' }),
      numbers((n) => n % 2 === 0),
    );
    assert.deepEqual(
      await found({ patient: '9434765870' }),
      numbers((n) => n % 3 === 0),
    );
    assert.deepEqual(
      await found({ practice: 'A81001' }),
      numbers((n) => n % 4 === 0),
    );
    assert.deepEqual(
      await found({ fault: 'GH-5001' }),
      numbers((n) => n % 5 === 0),
    );
    assert.deepEqual(
      await found({ state: 'answered' }),
      numbers((n) => n % 5 !== 0),
    );
    assert.deepEqual(await found({ channel: 'other' }), [30]);
    assert.deepEqual(await found({ channel: 'none such' }), []);
  });
  it('by all of them together, and within a time', async () => {
    const filter = { patient: '9434765870', sender: 'LAB|RYY', channel: 'adt-feed' };
    assert.deepEqual(
      await found(filter),
      numbers((n) => n % 6 === 0),
    );
    const window = { since: ids[6], until: ids[18] };
    assert.deepEqual(await found({ ...filter, ...window }), [18, 12, 6]);
    assert.deepEqual(await found({ ...filter, ...window, limit: 1 }), [18]);
  });
  it('an exchange without a state counts as received', async () => {
    assert.deepEqual(await found({ state: 'received' }), [30]);
    assert.equal((await journal.list({ channel: 'other' }))[0]?.repeatOf, ids[3]);
  });
  it('the practice that was named last', async () => {
    assert.equal(await journal.practiceOf('9434765919'), undefined);
    const named = async (practice: string) =>
      receive(journal, 'A08', { registered: { patient: '9434765919', practice } });
    await named('A81001');
    await named('B82002');
    assert.equal((await journal.practiceOf('9434765919'))?.practice, 'B82002');
    await named('A81001');
    assert.equal((await journal.practiceOf('9434765919'))?.practice, 'A81001');
  });
  it('counts what it holds', async () => {
    const { exchanges, bytes, oldest, unindexed } = await journal.stats();
    assert.deepEqual(
      { exchanges, oldest, unindexed },
      { exchanges: 34, oldest: ids[0], unindexed: 0 },
    );
    assert.ok(bytes > 0);
  });
  it('nothing once it is closed, and closing twice is allowed', async () => {
    const other = temporaryFolder();
    const closed = await openJournal({ folder: other.folder, emit: recordEvents().emit });
    await Promise.all([closed.close(), closed.close()]);
    assert.equal(await faultOf(receive(closed, 'late')), 'journalUnavailable');
    other.remove();
  });
});

/** As it comes back: bodies as plain byte arrays, notes as JSON gives them. */
function plain(entry: Entry): Entry {
  const copy: Entry = { kind: entry.kind, at: entry.at };
  if (entry.note !== undefined) copy.note = JSON.parse(JSON.stringify(entry.note)) as Entry['note'];
  if (entry.body !== undefined) copy.body = new Uint8Array(entry.body);
  return copy;
}

function text(entry: Entry | undefined): string {
  return Buffer.from(entry?.body ?? []).toString();
}
