import assert from 'node:assert/strict';
import type { AskRecord, Endpoint, LocateEndpoint } from '../../engine/gp/port.ts';
import { createSessions } from '../../engine/gp/session.ts';
import { asker, attempt } from './outside.ts';

/** A directory in which every practice moves with each look-up, and which counts them. */
function moving() {
  const looked: string[] = [];
  const locate: LocateEndpoint = (practice) => {
    looked.push(practice);
    if (practice === 'NONE') {
      const fault = { name: 'practiceNotEnabled' as const };
      return Promise.resolve({ event: 'notFound', fault, hops: [] });
    }
    const address = `https://gp.example/${practice}/${looked.length}`;
    const value: Endpoint = { kind: 'gpconnect', name: 'gpconnect', address, asid: '1' };
    return Promise.resolve({ event: 'found', value, hops: [] });
  };
  return { locate, looked };
}

describe('what a directory found, within a session', () => {
  it('is found once for the same user, patient and practice, until its time is over', async () => {
    const { locate, looked } = moving();
    let now = 0;
    const sessions = createSessions(locate, 1000, () => now);
    const at = attempt();
    const first = await sessions.locate('A1', asker, at);
    now = 999;
    assert.equal((await sessions.locate('A1', asker, at)).value, first.value);
    await sessions.locate('B1', asker, at);
    await sessions.locate('A1', asker, attempt({ session: 'jsmith about another patient' }));
    await sessions.locate('A1', asker, attempt({ session: 'another user about 9000000009' }));
    assert.deepEqual(looked, ['A1', 'B1', 'A1', 'A1']);
    now = 1000;
    assert.notEqual((await sessions.locate('A1', asker, at)).value, first.value);
  });

  it('is looked up for each query where no time is given', async () => {
    const { locate, looked } = moving();
    const sessions = createSessions(locate, 0, () => 0);
    await sessions.locate('A1', asker, attempt());
    await sessions.locate('A1', asker, attempt());
    assert.equal(looked.length, 2);
  });

  it('does not hold that a practice was not found', async () => {
    const { locate, looked } = moving();
    const sessions = createSessions(locate, 1000, () => 0);
    await sessions.locate('NONE', asker, attempt());
    await sessions.locate('NONE', asker, attempt());
    assert.equal(looked.length, 2);
  });

  it('is forgotten as soon as the endpoint did not serve', async () => {
    const { locate, looked } = moving();
    const sessions = createSessions(locate, 1000, () => 0);
    let event: 'reply' | 'permanent' = 'reply';
    const ask = sessions.watched((() => Promise.resolve({ event, hops: [] })) as AskRecord);
    const once = async () => {
      const { value } = await sessions.locate('A1', asker, attempt());
      assert.ok(value?.kind === 'gpconnect');
      await ask({ nhsNumber: '9000000009', datasets: ['PAT'] }, value, asker, attempt());
    };
    await once();
    await once();
    assert.equal(looked.length, 1);
    event = 'permanent';
    await once();
    assert.equal(looked.length, 1);
    await once();
    assert.equal(looked.length, 2);
  });
});
