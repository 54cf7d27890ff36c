/** What the deliveries of a channel cannot mean. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelSchema } from '../../engine/channel.ts';
import { loadDeliveries } from '../../engine/config/delivery-check.ts';
import type { Finding } from '../../engine/config/yaml.ts';

const mappings = mkdtempSync(join(tmpdir(), 'gatehouse-deliveries-'));
mkdirSync(join(mappings, 'feeds'));
writeFileSync(join(mappings, 'feeds', 'epr.yaml'), 'feed: epr\nrules: [{ remove: NK1 }]\n');
writeFileSync(join(mappings, 'feeds', 'broken.yaml'), 'feed: broken\nrules: [{ remove: nk1 }]\n');
after(() => rmSync(mappings, { recursive: true }));

function said(change: { deliver?: object[]; epr?: object }, effects = ['deliver']): string[] {
  const channel = channelSchema.parse({
    ...{ channel: 'x', listen: { port: 0 }, us: { application: 'A', facility: 'B' } },
    ...{ accepts: ['ORU^R01'], senders: [{ application: '*', facility: '*' }] },
    ...{ route: 'feed', keep: '1d' },
    destinations: {
      epr: { kind: 'feed', port: 1, ...change.epr },
      gp: { kind: 'mllp', port: 2 },
    },
    deliver: change.deliver ?? [{ to: 'epr' }],
  });
  const told: string[] = [];
  const findings: Finding[] = [];
  const error = (path: PropertyKey[], says: string) => told.push(`${path.join('.')} ${says}`);
  loadDeliveries(channel, mappings, new Set(effects), error, findings);
  return [...told, ...findings.map(({ where, says }) => `${where} ${says}`)];
}

describe('deliveries of a channel', () => {
  it('are nothing to report where they can be meant', () => {
    assert.deepEqual(said({ deliver: [{ to: 'epr', map: 'epr', unless: { PV1: 'absent' } }] }), []);
    const epr = { acknowledge: 'accept+application', applicationAcks: { port: '0' } };
    assert.deepEqual(said({ epr }), []);
  });

  const wrong: [what: string, found: string[], finding: RegExp][] = [
    [
      'a destination that is not there',
      said({ deliver: [{ to: 'erp' }] }),
      /^deliver\.0\.to there is no destination "erp"; did you mean "epr"/,
    ],
    ['one of another kind', said({ deliver: [{ to: 'gp' }] }), /"gp" is of kind mllp/],
    [
      'one named twice',
      said({ deliver: [{ to: 'epr' }, { to: 'epr' }] }),
      /^deliver\.1\.to "epr" is delivered to already/,
    ],
    [
      'a route that delivers nothing',
      said({}, ['register']),
      /^deliver route "feed" delivers nothing/,
    ],
    [
      'a mapping that is not there',
      said({ deliver: [{ to: 'epr', map: 'erp' }] }),
      /^deliver\.0\.map there is no mapping feeds\/erp\.yaml; did you mean "epr"/,
    ],
    [
      'a mapping with a finding',
      said({ deliver: [{ to: 'epr', map: 'broken' }] }),
      /broken\.yaml:2:\d+ "remove": "nk1" is not a path/,
    ],
    [
      'a port for what is not asked for',
      said({ epr: { applicationAcks: { port: '1' } } }),
      /^destinations\.epr\.applicationAcks\.port no application acknowledgement is asked for/,
    ],
    [
      'a partner without a port',
      said({ epr: { applicationAcks: { from: { application: 'A', facility: '*' } } } }),
      /there is none/,
    ],
  ];
  for (const [what, found, finding] of wrong) {
    it(`with ${what} are told with their place`, () => {
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', finding);
    });
  }
});
