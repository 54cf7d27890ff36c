/** What comes on one connection goes on in its order, though one message takes longer than the next. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { startEngine } from '../../engine/engine.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { type Place, createSequence } from '../../engine/sequence.ts';
import { type Receiver, acknowledge, startReceiver } from '../outbound/receiver.ts';
import { ask, framed, rawPeer } from '../world.ts';
import { type SmallSite, adt, adtChannel, delivered, smallSite } from './small-site.ts';

/** A merge of a patient without a known practice: others are looked up for it. */
const merge = (id: string, patient: string): string =>
  adt(id, patient).replace('A08^ADT_A01', 'A40^ADT_A39').replace('PV1|1|E', `MRG|${id}^^^R0A^MR`);

describe('messages sent without waiting for answers', () => {
  let site: SmallSite;
  let receiver: Receiver;

  before(async () => {
    receiver = await startReceiver();
    const channel = adtChannel('adt', `batches: split\n${delivered(receiver.port)}`);
    const text = channel.replace('ADT^A08]', 'ADT^A08, ADT^A40]');
    site = smallSite({ adt: text });
    await site.start();
  });
  after(async () => {
    await site.close();
    await receiver.close();
  });

  it('are delivered as they came: what follows a merge does not overtake it', async () => {
    const peer = await rawPeer(site.engine.ports.adt ?? 0);
    receiver.react = (message) => acknowledge(message);
    const sent: string[] = [];
    for (let round = 0; round < 12; round++) {
      // Committed and not yet indexed: whoever looks for a patient waits for that.
      for (const text of [adt(`a${round}`), merge(`m${round}`, '9465701459')]) {
        peer.write(framed(text));
        if (text.includes('MRG')) peer.write(framed(adt(`z${round}`, '9465701459')));
        assert.equal(parseMessage(await peer.next()).get('MSA-1'), 'AA');
      }
      assert.equal(parseMessage(await peer.next()).get('MSA-2'), `z${round}`);
      sent.push(`m${round}`, `z${round}`);
    }
    await receiver.arrived(36);
    const arrived = receiver.ids().filter((id) => !id.startsWith('a'));
    assert.deepEqual(arrived, sent);
    peer.socket.destroy();
  });

  it('are delivered as they came within a batch, and behind one', async () => {
    const peer = await rawPeer(site.engine.ports.adt ?? 0);
    const before = receiver.messages.length;
    const [inside, behind] = [merge('b1', '9465701459'), adt('b3', '9465701459')];
    const batch = `BHS|^~\\&|MILLENNIUM|R0A\r${inside}${adt('b2', '9465701459')}BTS|2\r`;
    peer.write(framed(adt('b0')));
    await peer.next();
    peer.write(framed(batch));
    peer.write(framed(behind));
    while (!receiver.ids().includes('b3')) await receiver.arrived(receiver.messages.length + 1);
    const arrived = receiver.ids().slice(before);
    // A slow machine may have been sent one of the others again.
    assert.deepEqual(
      arrived.filter((id) => /^b[123]$/.test(id)),
      ['b1', 'b2', 'b3'],
    );
    peer.socket.destroy();
  });
});

describe('a message that fails in our hands', () => {
  it('is refused, and is owed to nobody although it was about to be', async () => {
    const receiver = await startReceiver();
    const site = smallSite({ adt: adtChannel('adt', delivered(receiver.port)) });
    let failing = true;
    const engine = await startEngine({
      site: site.load(),
      data: site.data,
      emit(_, fields) {
        if (failing && fields?.step === 'deliver') throw new RangeError('a defect of ours');
      },
    });
    assert.equal((await ask(engine.ports.adt ?? 0, adt('M1'))).get('MSA-1'), 'AR');
    failing = false;
    assert.equal((await ask(engine.ports.adt ?? 0, adt('M2'))).get('MSA-1'), 'AA');
    await receiver.arrived(1);
    assert.deepEqual(receiver.ids(), ['M2']);
    await engine.stop(500);
    await site.close();
    await receiver.close();
  });
});

describe('a sequence', () => {
  it('lets everything happen once, in its order, whichever message ends first', () => {
    const ends = fc
      .integer({ min: 1, max: 12 })
      .chain((count) =>
        fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }),
      );
    fc.assert(
      fc.property(ends, fc.boolean(), (order, within) => {
        const outer = createSequence();
        const sequence = within ? createSequence(outer.begin().inTurn) : outer;
        const places: Place[] = order.map(() => sequence.begin());
        const done: number[] = [];
        for (const n of order) {
          places[n]?.inTurn(() => done.push(n));
          places[n]?.end();
        }
        assert.deepEqual(
          done,
          order.map((_, n) => n),
        );
      }),
    );
  });

  it('that lies within another waits for its turn there', () => {
    const outer = createSequence();
    const [first, second] = [outer.begin(), outer.begin()];
    const done = new Array<string>();
    const inner = createSequence(second.inTurn);
    const one = inner.begin();
    one.inTurn(() => done.push('inner'));
    one.end();
    assert.equal(done.length, 0);
    first.inTurn(() => done.push('first'));
    first.end();
    assert.deepEqual(done, ['first', 'inner']);
  });
});
