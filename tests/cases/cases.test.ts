/** Every case of the site, played as the analysts play them. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCase, updatedCase } from '../../engine/cases/case.ts';
import { coverageOf } from '../../engine/cases/coverage.ts';
import { type Played, playCase, playCases } from '../../engine/cases/play.ts';
import { loadSite, routesOf } from '../../engine/config/site.ts';
import { ConfigError } from '../../engine/config/yaml.ts';
import { patients, root } from '../world.ts';

const site = loadSite(root, {});
const files = globSync('fixtures/**/*.case', { cwd: root }).sort();
const stories = files.map((file) => readCase(join(root, file)));
const play = (story: ReturnType<typeof readCase>) => playCase(story, site.channels, patients);

const told = ({ differences }: Played) =>
  differences.map(
    ({ section, exchange, at, expected, got }) =>
      `exchange ${exchange}, ${section}: ${at} expected ${expected}, got ${got}`,
  );

describe('cases', () => {
  let played: Played[] = [];
  before(async () => {
    played = await playCases(stories, site.channels, patients);
  });

  for (const [index, story] of stories.entries()) {
    const name = files[index]?.replace(/^fixtures\/|\.case$/g, '');
    it(`${name}: ${story.title}`, () => {
      assert.deepEqual(told(played[index] as Played), []);
    });
  }

  it('are told in the order in which they were given, though those that wait begin first', () => {
    assert.deepEqual(
      played.map(({ story }) => story.file),
      stories.map(({ file }) => file),
    );
    const last = stories.findLastIndex(({ scenarios }) => scenarios.length === 0);
    assert.ok(stories.slice(0, last).some(({ patience }) => patience !== undefined));
  });

  it('each tells a story of its own, and states what is asked and answered', () => {
    const titles = stories.map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
    for (const { file, exchanges } of stories) {
      for (const { asked, out } of exchanges) assert.ok(asked !== undefined && out, file);
    }
  });

  it('a case that passes is left as it is by --update, byte for byte', () => {
    for (const { story, results } of played) {
      const content = readFileSync(story.file, 'utf8');
      assert.equal(updatedCase(content, story, results), content, story.file);
    }
  });

  it('walk every outcome of the routes but those that no effect has, or that no simulator plays', () => {
    const routes = routesOf(site.channels);
    const covered = coverageOf(
      routes,
      played.flatMap(({ steps }) => steps),
    );
    // A push asks by the same effects as a query, whose cases walk them.
    const walked = covered.filter(({ route }) => route !== 'push');
    const missing = walked.flatMap((one) => one.missing.map((way) => `${one.route}: ${way}`));
    assert.deepEqual(missing.sort(), [
      'adt: register refused',
      'gp-record: ask (waiting 250 ms) timeout',
      'gp-record: askHtml (waiting 250 ms) timeout',
      'gp-record: askHtml ambiguous',
      'gp-record: askSecond notEnabled',
      'gp-record: askSecond refused',
      'gp-record: locate (waiting 250 ms) timeout',
      'gp-record: locate refused',
      // The directory answers the first time it is asked and fails the second: tests/story/back-ends.test.ts.
      'gp-record: locateHtml (waiting 250 ms) elapsed',
      'gp-record: locateHtml (waiting 250 ms) timeout',
      'gp-record: locateHtml permanent',
      'gp-record: locateHtml refused',
      'gp-record: locateHtml timeout',
      'gp-record: locateHtml transient',
      'gp-record: map permanent',
      'gp-record: trace (waiting 250 ms) timeout',
      'gp-record: trace refused',
      'gp-record: traceIndex timeout',
    ]);
    for (const { walked, of, missing: rest } of covered) assert.equal(walked, of - rest.length);
  });
});

describe('a case that expects something else', () => {
  const file = join(root, 'fixtures/gp-record/allergies.case');
  const content = readFileSync(file, 'utf8');
  const playedWith = (from: string | RegExp, to: string) => {
    const changed = content.replace(from, to);
    assert.notEqual(changed, content);
    return play(readCase(file, changed));
  };

  it('fails with the field, what was expected and what came', async () => {
    const { differences } = await playedWith('|19990225|1|||Flat', '|19990225|F|||Flat');
    assert.deepEqual(differences, [
      {
        ...{ section: 'out', exchange: 1, at: 'PID-8', expected: 'F', got: '1' },
        why: 'Patient/CA8709FB-802B-57F8-B079-4580194303B0#gender → tables/gender.csv:3, mappings/gp-record/patient.yaml:30',
      },
    ]);
  });

  it('names the occurrence of a segment that comes more than once', async () => {
    const [difference] = (await playedWith('AL1|2|EA|', 'AL1|2|FA|')).differences;
    assert.equal(difference?.at, 'AL1[2]-2');
  });

  it('tells one missing segment as one difference', async () => {
    const played = await playedWith(/^PD1\|.*\n/m, '');
    assert.equal(played.differences.length, 1);
    assert.match(told(played)[0] ?? '', /PD1 expected nothing, got PD1\|/);
  });

  it('fails where more, or other things, are asked and journalled', async () => {
    const { differences } = await playedWith('sds SDS Device\n', '');
    assert.deepEqual(
      differences.map(({ section, at, expected }) => [section, at, expected]),
      [['asked', 'sds SDS Device', 'nothing']],
    );
    const journal = await playedWith('map found\n', 'map permanent\n');
    assert.deepEqual([...new Set(journal.differences.map((d) => d.section))], ['journal']);
  });

  it('is not held to sections it leaves out', async () => {
    const { differences } = await playedWith(/== journal[^]*$/, '');
    assert.deepEqual(differences, []);
  });

  it('on a channel that is not there is refused with its place and a suggestion', async () => {
    await assert.rejects(playedWith('channel: gp-record', 'channel: gp-recrod'), (error) => {
      assert.ok(error instanceof ConfigError);
      const [finding] = error.findings;
      assert.match(finding?.where ?? '', /allergies\.case:\d+$/);
      assert.match(finding?.says ?? '', /no channel "gp-recrod"; did you mean "gp-record"\?/);
      assert.match(finding?.next ?? '', /adt-feed, gp-record/);
      return true;
    });
  });
});
