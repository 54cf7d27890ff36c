/** The soak itself: what comes again, too early or otherwise is found, and so is what grows. */
import assert from 'node:assert/strict';
import { framed, rawPeer } from '../world.ts';
import { adt } from './samples.ts';
import { placeOf, startLedger } from './soak/ledger.ts';
import { type Sample, rise } from './soak/slope.ts';
import { steadyOf } from './soak/steady.ts';

const build = (id: string): string => adt(id, placeOf(id)[0]);

describe('the receiver of the soak', () => {
  it('knows what has to come next of each connection, and tells of all else', async () => {
    const ledger = await startLedger(build);
    const peer = await rawPeer(ledger.port);
    for (const id of ['H1-0', 'H2-0', 'H1-1', 'H1-1', 'H1-3']) {
      peer.write(framed(build(id)));
      assert.match((await peer.next()).toString(), new RegExp(`MSA\\|AA\\|${id}\r`));
    }
    peer.write(framed(build('H2-1').replace('Robin', 'Robyn')));
    await peer.next();
    assert.deepEqual(
      [...ledger.arrived],
      [
        ['H1', 2],
        ['H2', 2],
      ],
    );
    assert.equal(ledger.count(), 4);
    assert.deepEqual(ledger.again, ['H1-1']);
    assert.deepEqual(ledger.wrong, [
      'H1-3 came before H1-2',
      'H2-1 came otherwise than it was sent',
    ]);
    peer.socket.destroy();
    await ledger.close();
  });
});

describe('what must not grow', () => {
  it('is judged by the line through all samples after the warm-up', () => {
    const line = (value: (n: number) => number): Sample[] =>
      Array.from({ length: 100 }, (_, n) => ({ at: n * 1000, value: value(n) }));
    assert.equal(Math.round(rise(line((n) => 5 + n))), 99);
    assert.equal(Math.round(rise(line((n) => 100 + (n % 2) * 40))), 1);
    let waiting = 0;
    const steady = steadyOf(process.pid, '/nowhere', () => waiting);
    for (let n = 0; n < 50; n++) steady.sample((waiting = n * 1000));
    assert.match(steady.broken().join(), /messages waiting more at the end; 100 may be/);
    steady.begin();
    for (let n = 0; n < 50; n++) steady.sample(n * 1000);
    assert.ok(!steady.broken().join().includes('waiting'));
  });
});
