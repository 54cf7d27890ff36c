/** Channel files that extend others: what holds, where it stands, and what is refused. */
import assert from 'node:assert/strict';
import { join, relative } from 'node:path';
import { loadSite } from '../../engine/config/site.ts';
import { type SmallSite, adtChannel, smallSite } from '../story/small-site.ts';

describe('extends between channel files', () => {
  let site: SmallSite;
  afterEach(() => site.close());
  const findings = () =>
    loadSite(site.folder, { PORT: '2577' }).findings.map(({ where, says }) => {
      const [file = '', ...place] = where.split(':');
      return `${relative(site.folder, join(process.cwd(), file)).replace(/^.*channels/, 'channels')}:${place.join(':')}  ${says}`;
    });
  const base = `us: { application: GATEHOUSE, facility: RECGW }
accepts: [ADT^A01, ADT^A08]
senders: [{ application: MILLENNIUM, facility: R0A }]
route: adt
keep: 90d
limits: { frame: 1MB, idle: 10m }
`;

  it('merges mappings and replaces lists; the file that says it last wins', () => {
    site = smallSite({
      defaults: base,
      trust: 'extends: defaults.yaml\nlimits: { idle: 20m }\n',
      one: 'extends: trust.yaml\nchannel: one\nlisten: { port: 0 }\naccepts: [ADT^A40]\nlimits: { inFrame: 5s }\n',
      two: adtChannel('two'),
    });
    const { channels, findings: found } = loadSite(site.folder);
    assert.deepEqual(found, []);
    assert.deepEqual(
      channels.map(({ channel }) => channel.channel),
      ['one', 'two'],
    );
    const one = channels[0]?.channel;
    assert.deepEqual(one?.accepts, ['ADT^A40']);
    assert.deepEqual(one.senders, [{ application: 'MILLENNIUM', facility: 'R0A' }]);
    const { frame, idle, inFrame } = one.limits;
    assert.deepEqual([frame, idle, inFrame], [1024 ** 2, 20 * 60_000, 5000]);
  });

  it('points at the file and line where a value really stands', () => {
    site = smallSite({
      defaults: base.replace('idle: 10m', 'idel: 10m').replace('keep: 90d', 'keep: ninety'),
      one: 'extends: defaults.yaml\nchannel: one\nlisten: { port: x }\nsenders: [{ application: A }]\n',
    });
    assert.deepEqual(findings(), [
      'channels/one.yaml:3:17  "port": a whole number is needed',
      'channels/one.yaml:4:11  "facility" is missing',
      'channels/defaults.yaml:5:7  "keep": a duration is needed: a number with ms, s, m, h or d, for example 15s',
      'channels/defaults.yaml:6:23  unknown key "idel"; did you mean "idle"?',
    ]);
  });

  it('refuses circles, files that are not there, and files that no revision would hold', () => {
    site = smallSite({
      one: 'extends: two.yaml\nchannel: one\n',
      two: 'extends: one.yaml\nchannel: two\n',
      three: 'extends: defualts.yaml\nchannel: three\n',
      four: 'extends: ../site.yaml\nchannel: four\n',
      five: 'extends: [a]\nchannel: five\n',
      defaults: base,
    });
    assert.deepEqual(findings().sort(), [
      'channels/five.yaml:1:10  "extends": the name of one file is needed',
      'channels/four.yaml:1:10  "extends": ../site.yaml is not in channels/, so no revision would hold it',
      'channels/one.yaml:1:10  "extends" goes round in a circle: two.yaml → one.yaml → two.yaml',
      'channels/three.yaml:1:10  "extends": there is no file defualts.yaml; did you mean "defaults.yaml"?',
      'channels/two.yaml:1:10  "extends" goes round in a circle: one.yaml → two.yaml → one.yaml',
    ]);
  });

  it('leaves keys that begin with x- to anchors', () => {
    const more = 'x-people: &who { application: A, facility: B }\n';
    const own = adtChannel('one').replace('{ application: GATEHOUSE, facility: RECGW }', '*who');
    site = smallSite({ one: `${more}${own}` });
    assert.deepEqual(findings(), []);
  });

  it('lets no secret stand in a file, nor in an address; none is told', () => {
    const secret = 'hunter2hunter2';
    site = smallSite({
      defaults: `${base}destinations:\n  pds: { kind: pds, url: "https://me:${secret}@pds.example/", apikey: ${secret} }\n`,
      one: 'extends: defaults.yaml\nchannel: one\nlisten: { port: "${env:PORT}" }\n',
    });
    const found = findings();
    assert.match(
      found.join('\n'),
      /^channels\/defaults\.yaml:8:\d+ {2}"url": a secret is never written here/m,
    );
    assert.ok(!found.join('\n').includes(secret));
    site.write(
      'channels/defaults.yaml',
      `${base}destinations:\n  pds: { kind: pds, url: "https://pds.example/", apikey: ${secret} }\n`,
    );
    assert.match(
      findings().join('\n'),
      /^channels\/defaults\.yaml:8:\d+ {2}"apikey": a secret is never written here/m,
    );
  });
});
