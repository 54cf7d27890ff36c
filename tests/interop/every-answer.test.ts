/** Two strangers' parsers read the answer to every kind of query, in every version that has it. */
import assert from 'node:assert/strict';
import { HL7Message } from 'hl7v2';
import { Message as ClientMessage } from 'node-hl7-client';
import { queryKinds } from '../../engine/query/kinds.ts';
import { queryBuilders, usualAsker } from '../../engine/simulator/hospital-queries.ts';
import { type World, ask, startWorld } from '../world.ts';

const nel = '9465701459';

describe('third parties read every answer', () => {
  let world: World;
  before(async () => {
    world = await startWorld(({ channels }) => {
      const channel = channels.find((one) => one.channel.channel === 'gp-record')?.channel;
      channel?.accepts.push('RQC^I05', 'QRY^R02', 'VXQ^V01');
    });
  });
  after(() => world.close());

  for (const { type, since, offers, answer } of queryKinds) {
    const datasets = offers.filter((one) => /^(PAT|ALL|MED|INV|IMM|ENC)$/.test(one));
    it(`${answer.code}^${answer.event}`, async () => {
      for (const version of since === '2.3' ? ['2.3', '2.4', '2.5.1'] : ['2.4', '2.5.1']) {
        const controlId = `I${type.slice(4)}${version}`;
        const options = { controlId, nhsNumber: nel, asker: usualAsker, version };
        const query = queryBuilders[type]?.({ ...options, datasets });
        const given = await ask(
          world.engine.ports['gp-record'] ?? 0,
          query?.bytes.toString() ?? '',
        );
        const text = given.toBytes().toString();
        const names = given.segmentNames();
        assert.ok(names.includes('PID') && given.get('MSA-1') === 'AA', type);

        const decoded = HL7Message.parse(text);
        assert.equal(decoded.messageType, `${answer.code}^${answer.event}`);
        assert.deepEqual(
          decoded.segments.map(({ segmentType }) => segmentType),
          names,
        );
        assert.equal(decoded.getSegment('PID')?.field(3).getValue(1), nel);

        const read = new ClientMessage({ text });
        assert.equal(read.get('MSH.9.1').toString(), answer.code);
        assert.equal(read.get('MSA.2').toString(), controlId);
        assert.equal(read.get('PID.3.1').toString(), nel);
      }
    });
  }
});
