/** The patient index as ADT messages on a socket keep it: registrations, changes, merges. */
import assert from 'node:assert/strict';
import { parseMessage } from '../../engine/hl7/message.ts';
import { type World, framed, rawPeer, startWorld } from '../world.ts';

const [nel, other, third] = ['9465701459', '9990000018', '9990000026'];
const nhs = (number: string) => `${number}^^^NHS^NH`;
const mrn = (number: string) => `${number}^^^R0A^MR`;

describe('the patient index', () => {
  let world: World;
  let serial = 0;

  /** Send an ADT message; parts of a merge as `[PID-3, PD1-3 or nothing, MRG-1]`. */
  async function adt(event: string, ...parts: [pid: string, pd1?: string, mrg?: string][]) {
    const peer = await rawPeer(world.engine.ports['adt-feed'] ?? 0);
    const text = [
      `MSH|^~\\&|MILLENNIUM|R0A|GATEHOUSE|RECGW|20260604101500||ADT^${event}|I${++serial}|P|2.4`,
      'EVN||20260604101500',
      ...parts.flatMap(([pid, pd1, mrg]) => [
        `PID|1||${pid}||Nel^Morris`,
        ...(pd1 === undefined ? [] : [`PD1|||${pd1}`]),
        ...(mrg === undefined ? [] : [`MRG|${mrg}`]),
      ]),
      '',
    ].join('\r');
    peer.write(framed(text));
    assert.equal(parseMessage(await peer.next()).get('MSA-1'), 'AA');
    peer.socket.destroy();
  }
  const practiceOf = async (patient: string) =>
    (await world.engine.journal.practiceOf(patient))?.practice;

  beforeEach(async () => {
    world = await startWorld((site) => {
      site.channels = site.channels.filter(({ channel }) => channel.channel === 'adt-feed');
      for (const { channel } of site.channels) channel.accepts.push('ADT');
    });
  });
  afterEach(() => world.close());

  it('takes the practice of A05, A28 and A31, and follows its changes', async () => {
    await adt('A05', [nhs(nel), 'Old Mill^^Z99901']);
    assert.equal(await practiceOf(nel), 'Z99901');
    await adt('A31', [nhs(nel), 'New Mill^^Z99902']);
    assert.equal(await practiceOf(nel), 'Z99902');
    await adt('A31', [nhs(nel)]);
    assert.equal(await practiceOf(nel), 'Z99902');
    await adt('A31', [nhs(nel), '""']);
    assert.equal(await practiceOf(nel), undefined);
    await adt('A28', [`${nhs(nel)}~${mrn('633481')}`, 'New Mill^^^^^^^^^Z99903']);
    assert.equal(await practiceOf(nel), 'Z99903');
  });

  it('a survivor whose practice nobody named inherits that of a merged hospital number', async () => {
    await adt('A28', [mrn('633480'), 'Old Mill^^Z99901']);
    assert.equal(await practiceOf(nel), undefined);
    await adt('A40', [`${nhs(nel)}~${mrn('633481')}`, undefined, mrn('633480')]);
    assert.equal(await practiceOf(nel), 'Z99901');
  });

  it('a survivor keeps its own practice, and the merged number points to it', async () => {
    await adt('A28', [nhs(nel), 'Old Mill^^Z99901']);
    await adt('A28', [nhs(other), 'Ferry^^Z99907']);
    await adt('A40', [nhs(nel), undefined, `${mrn('1')}~${nhs(other)}`]);
    assert.equal(await practiceOf(nel), 'Z99901');
    assert.equal(await practiceOf(other), 'Z99901');
    await adt('A31', [nhs(nel), 'New Mill^^Z99902']);
    assert.equal(await practiceOf(other), 'Z99902');
    await adt('A28', [nhs(other), 'Ferry^^Z99907']);
    assert.deepEqual([await practiceOf(nel), await practiceOf(other)], ['Z99902', 'Z99907']);
  });

  it('what was merged away is not handed on to another patient who gets the same hospital number', async () => {
    await adt('A28', [mrn('700'), 'Old Mill^^Z99901']);
    await adt('A40', [`${nhs(nel)}~${mrn('701')}`, undefined, mrn('700')]);
    assert.equal(await practiceOf(nel), 'Z99901');
    // 700 is given again, to somebody else, and merged once more.
    await adt('A28', [`${nhs(other)}~${mrn('700')}`]);
    assert.equal(await practiceOf(other), undefined);
    await adt('A40', [nhs(third), undefined, mrn('700')]);
    assert.equal(await practiceOf(third), undefined);
  });

  it('reads each patient of a merge of several, and its PD1 only where it is clear whose it is', async () => {
    await adt('A28', [mrn('800'), 'Old Mill^^Z99901']);
    await adt('A40', [nhs(nel), undefined, mrn('800')], [nhs(other), undefined, mrn('801')]);
    assert.equal(await practiceOf(nel), 'Z99901');
    await adt('A40', [nhs(nel), undefined, mrn('802')], [nhs(other), 'Ferry^^Z99907', mrn('803')]);
    assert.deepEqual([await practiceOf(nel), await practiceOf(other)], ['Z99901', undefined]);
  });

  it('keeps nothing of a message with two NHS numbers, and of a number that is merged with itself', async () => {
    await adt('A28', [`${nhs(nel)}~${nhs(other)}`, 'Old Mill^^Z99901']);
    assert.deepEqual([await practiceOf(nel), await practiceOf(other)], [undefined, undefined]);
    await adt('A28', [nhs(nel), 'Old Mill^^Z99901']);
    await adt('A40', [`${nhs(nel)}~${mrn('900')}`, undefined, `${mrn('901')}~${nhs(nel)}`]);
    assert.equal(await practiceOf(nel), 'Z99901');
  });
});
