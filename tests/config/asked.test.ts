/** What a channel accepts and cannot serve. */
import assert from 'node:assert/strict';
import { impossible } from '../../engine/config/asked.ts';
import { queryKinds } from '../../engine/query/kinds.ts';

const query = new Set(['identify', 'ask']);
const all = ['2.3', '2.4', '2.5.1'];
const said = (accepts: string[], effects = query, versions = all, asker = {}, deliver = [{}]) =>
  [...impossible({ accepts, versions, asker, deliver, batches: 'refuse' }, effects)].map(
    ({ path, says }) => `${path.join('.')} ${says}`,
  );

describe('what a channel accepts', () => {
  it('is nothing to report where the route, the versions and the asker fit', () => {
    const asker = Object.fromEntries(
      queryKinds.filter((kind) => !kind.asker).map(({ type }) => [type, {}]),
    );
    const types = queryKinds.map(({ type }) => type);
    assert.deepEqual(said(types, query, all, asker), []);
    assert.deepEqual(said(['ADT^A01', 'ADT'], new Set(['register'])), []);
  });

  it('is reported where the route does something else', () => {
    const [found] = said(['ADT^A01', 'QBP^Q11'], new Set(['register']));
    assert.match(found ?? '', /^accepts\.1 QBP\^Q11 is a query, and the route .* answers none$/);
    assert.match(said(['ADT^A08'])[0] ?? '', /^accepts\.0 ADT\^A08 is no query/);
    assert.match(said(['QBP^Q12'])[0] ?? '', /did you mean "QBP\^Q11"/);
  });

  it('may be any message where the channel delivers it, but none that would go nowhere', () => {
    const types = ['ORU^R01', 'SIU^S12', 'MDM^T02', 'ORM^O01', 'ZPM', 'ZPM^Z01', 'ADT^A08'];
    const delivers = new Set(['deliver']);
    assert.deepEqual(said(types, delivers), []);
    const nowhere = said(types, delivers, all, {}, []);
    assert.equal(nowhere.length, 6);
    assert.match(nowhere[0] ?? '', /^accepts\.0 ORU\^R01 would be acknowledged and go nowhere/);
  });

  it('is no batch of queries', () => {
    const asked = { accepts: ['QBP^Q11'], versions: all, asker: {}, deliver: [] };
    const [found] = impossible({ ...asked, batches: 'split' }, query);
    assert.match(found?.says ?? '', /^queries are answered one by one/);
  });

  it('is doubted where no version knows the event', () => {
    const delivers = new Set(['deliver']);
    assert.match(said(['ORU^R91'], delivers)[0] ?? '', /no version of this channel has ORU\^R91/);
    assert.match(said(['SIU^S12'], delivers, ['2.1'])[0] ?? '', /no version/);
  });

  it('is reported where no version of the channel has it', () => {
    for (const { type, since } of queryKinds) {
      const asker = { [type]: {} };
      const found = said([type], query, ['2.3'], asker).filter((s) => s.includes('versions'));
      assert.equal(found.length, since === '2.3' ? 0 : 1, type);
    }
  });

  it('is reported where nothing says who asks', () => {
    for (const kind of queryKinds) {
      const found = said([kind.type]).filter((s) => s.includes('no fields for the asker'));
      assert.equal(found.length, kind.asker ? 0 : 1, kind.type);
    }
  });
});
