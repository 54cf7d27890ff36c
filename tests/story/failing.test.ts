import assert from 'node:assert/strict';
import { loadSite } from '../../engine/config/site.ts';
import { silent } from '../../engine/events.ts';
import { exchangesOf } from '../../engine/exchange.ts';
import { FaultError, faults } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { memoryJournal } from '../../engine/journal/memory.ts';
import { qbp, root } from '../world.ts';

const loaded = loadSite(root).channels.find(({ channel }) => channel.channel === 'gp-record');
let clock = Date.UTC(2026, 5, 4) * 1000;
const now = () => ++clock;
const peer = { connection: 1, address: 'test' };

/** Ask with a journal and a trace that fail as told. */
async function ask(journal: ReturnType<typeof memoryJournal>, trace: () => Promise<never>) {
  assert.ok(loaded);
  const outside = { trace, mllp: {}, gateways: {}, practiceOf: async () => undefined };
  const respond = exchangesOf(loaded, { journal, outside, emit: silent, owed: () => {}, now });
  const payload = Buffer.from(qbp('9465701459'));
  const response = await respond({ kind: 'message', payload, warnings: [] }, peer, () => {});
  assert.ok(response);
  return parseMessage(response.payload);
}

describe('an exchange that fails', () => {
  it('in the engine itself is answered AR, and the fault and the answer are journalled', async () => {
    const journal = memoryJournal(now);
    const answer = await ask(journal, () => Promise.reject(new TypeError('Nel, Morris')));
    assert.equal(answer.get('MSA-1'), 'AR');
    assert.equal(answer.get('QAK-2'), 'AR');
    const [found] = await journal.list();
    assert.equal(found?.state, 'rejected');
    assert.equal(found?.fault, faults.internalError.code);
    const stored = found && (await journal.read(found.id));
    const kept = stored?.entries.findLast(({ kind }) => kind === 'answer')?.body;
    assert.deepEqual(Buffer.from(kept ?? ''), answer.toBytes());
    assert.ok(!JSON.stringify(stored?.entries.map(({ note }) => note)).includes('Nel'));
  });

  it('row 29: because nothing can be stored is answered AR, never AA, and nobody is asked', async () => {
    const full = new FaultError({ name: 'journalFull' });
    const journal = { ...memoryJournal(now), append: () => Promise.reject(full) };
    let asked = 0;
    const answer = await ask(journal, async () => {
      asked++;
      throw full;
    });
    assert.equal(answer.get('MSA-1'), 'AR');
    assert.equal(asked, 0);
  });
});
