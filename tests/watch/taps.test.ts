/** Taps: what fits is told, and a reader that is slow costs the engine nothing. */
import assert from 'node:assert/strict';
import { parseMessage } from '../../engine/hl7/message.ts';
import type { Where } from '../../engine/hl7/where.ts';
import { type Finished, type TapLine, createTaps } from '../../engine/watch/taps.ts';
import { adt } from '../story/small-site.ts';

const one = (id: string, more: Partial<Finished> = {}): Finished => ({
  ...{ id, at: 1, channel: 'adt', type: 'ADT^A08^ADT_A01', state: 'answered', ms: 1 },
  message: parseMessage(Buffer.from(adt(id, '9990000018^^^NHS^NH~H12345'))),
  ...more,
});

describe('taps', () => {
  const found = (where: Where[], more: Partial<Finished> = {}) => {
    const taps = createTaps();
    const stream = taps.open({ where });
    taps.finished(() => one('A', more));
    const line = stream.read() as Buffer | null;
    stream.destroy();
    return line !== null;
  };
  const at = (path: string, pattern: string, not = false): Where[] => [{ path, pattern, not }];

  it('show what fits, by patterns, in any repetition and any segment of a name', () => {
    assert.ok(found(at('PID-3', '*018')));
    assert.ok(found(at('PID-3', 'h12345')));
    assert.ok(found(at('PID-3.5', 'NH')));
    assert.ok(found(at('MSH-9', 'ADT^A0?^*')));
    assert.ok(!found(at('PID-3', '*019')));
    assert.ok(!found(at('PID-3', '*018', true)));
    assert.ok(found(at('PV1-2', 'I', true)));
    assert.ok(!found([...at('PID-3', '*018'), ...at('PV1-2', 'I')]));
    assert.ok(!found(at('PID-3', '*'), { message: undefined }));
    assert.ok(found([], { message: undefined }));
    assert.throws(() => createTaps().open({ where: at('PID', 'x') }), /names a segment/);
    assert.throws(() => createTaps().open({ where: at('pid.3', 'x') }), /is not a path/);
  });

  it('cost nothing where nobody looks, or nobody looks any more', () => {
    const taps = createTaps();
    const unread = () => assert.fail('it was made');
    taps.finished(unread);
    taps.open({ where: [] }).destroy();
    return new Promise<void>((done) =>
      setImmediate(() => {
        taps.finished(unread);
        done();
      }),
    );
  });

  it('leave out what a slow reader does not take, and say how much', async () => {
    const taps = createTaps(10);
    const slow = taps.open({ where: [] });
    const quick = taps.open({ where: [], channel: 'other' });
    const all = 5000;
    for (let n = 0; n < all; n++) taps.finished(() => one(`M${n}`));
    taps.finished(() => one('LAST', { channel: 'other' }));
    assert.match(String(quick.read()), /"id":"LAST"/);
    let text = '';
    slow.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((done) => setImmediate(done));
    taps.finished(() => one('AFTER'));
    await new Promise((done) => setImmediate(done));
    slow.destroy();
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TapLine);
    const shown = lines.filter((line) => !('dropped' in line));
    const dropped = lines.reduce((sum, line) => sum + ('dropped' in line ? line.dropped : 0), 0);
    assert.equal(shown.length + dropped, all + 2);
    assert.ok(dropped > all / 2);
    assert.ok(!('dropped' in (lines.at(-1) ?? { dropped: 0 })), 'what came after it is shown');
    quick.destroy();
  });
});
