/** What PDS said, for when it cannot be reached: used with a caution, and no more than PDS allows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { type World, framed, rawPeer, root, startWorld } from '../world.ts';

const nel = '9465701459';
const sample = readFileSync(join(root, 'fixtures', 'gp-record', 'qbp-q11.hl7'));

describe('when PDS cannot be reached', () => {
  let world: World;
  let serial = 0;
  before(async () => void (world = await startWorld()));
  after(() => world.close());
  afterEach(() => world.gp.set(nel, undefined));

  async function send(channel: string, message: Message): Promise<Message> {
    const peer = await rawPeer(world.engine.ports[channel] ?? 0);
    peer.write(framed(message.toBytes().toString()));
    const answer = parseMessage(await peer.next());
    peer.socket.destroy();
    return answer;
  }
  const ask = (patient: string) => {
    const message = parseMessage(sample);
    message.setRaw('MSH-10', `R${++serial}`);
    message.setRaw('QPD-3', `${patient}^^^NHS^NH`);
    return send('gp-record', message);
  };
  /** The hospital says in ADT where a patient is registered. */
  const admit = (practice: string) => {
    const message = parseMessage(readFileSync(join(root, 'fixtures', 'adt', 'a01.hl7')));
    message.setRaw('MSH-10', `A${++serial}`);
    message.setRaw('PID-3', `${nel}^^^NHS^NH`);
    message.setRaw('PD1-3', `A practice^^${practice}`);
    return send('adt-feed', message);
  };
  const known = (patient = nel) => world.engine.journal.practiceOf(patient);
  const notes = (answer: Message) => answer.toBytes().toString();
  const asked = () => world.gp.asked.filter(({ system }) => system === 'ssp').length;

  it('the practice that PDS named last is asked, with a caution', async () => {
    assert.equal((await ask(nel)).get('MSA-1'), 'AA');
    const { practice, source } = (await known()) ?? {};
    assert.deepEqual([practice, source], ['Z99901', 'pds']);
    world.gp.set(nel, 'pdsError');
    const answer = await ask(nel);
    assert.equal(answer.get('MSA-1'), 'AA');
    assert.match(notes(answer), /the practice is the one that PDS named earlier/);
    assert.ok((await known())?.source === 'pds', 'an answer without PDS says nothing of PDS');
  });

  it('the later word counts, whoever said it', async () => {
    await ask(nel);
    await admit('Z99901');
    assert.equal((await known())?.source, undefined);
    world.gp.set(nel, 'pdsError');
    assert.match(notes(await ask(nel)), /taken from the hospital's own ADT messages/);
  });

  it('a patient whom PDS called restricted is not asked for, though ADT named a practice', async () => {
    await admit('Z99901');
    world.gp.set(nel, 'restricted');
    await ask(nel);
    assert.equal(await known(), undefined);
    world.gp.set(nel, 'pdsError');
    const before = asked();
    assert.equal((await ask(nel)).get('MSA-1'), 'AR');
    assert.equal(asked(), before);
  });

  it('a number that PDS called superseded leads to the current one', async () => {
    await ask('9990000093');
    const { practice, merged } = (await known('9990000093')) ?? {};
    assert.deepEqual([practice, merged], [(await known('9990000026'))?.practice, true]);
    assert.ok(practice);
  });

  it('nothing is kept where the channel does not use it', async () => {
    const other = await startWorld((site) => {
      for (const { channel } of site.channels) channel.ask.adtIndex = false;
    });
    try {
      const peer = await rawPeer(other.engine.ports['gp-record'] ?? 0);
      peer.write(framed(sample.toString()));
      await peer.next();
      peer.socket.destroy();
      assert.equal(await other.engine.journal.practiceOf(nel), undefined);
    } finally {
      await other.close();
    }
  });
});
