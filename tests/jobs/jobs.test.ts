/**
 * The jobs, command by command: what a page shows is what comes. Each page is played in a copy of the
 * site that comes with Gatehouse; where it needs one, an engine runs on it, and the GP side beside it.
 * A page that goes on where another ends is played after that.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../world.ts';
import { blocksOf } from '../docs/pages.ts';
import { type Place, type PlaceOptions, openPlace } from './place.ts';
import { commandsOf, differenceOf, exchange } from '../docs/transcript.ts';

const pages = globSync('docs/jobs/[0-9]*.md', { cwd: root }).map((page) => basename(page));

const query = 'fixtures/gp-record/qbp-q11.hl7';
const ask = `npx gatehouse send ${query} --to 127.0.0.1:2575 --new-id`;
/** Three records are answered, one query is refused. */
const threeRecords = [
  ...Array.from({ length: 3 }, () => ask),
  `sed s/9465701459/9465701458/ ${query} | ${ask.replace(query, '-')}`,
  'sleep 2',
];

/** Pages that are played one after the other in one place, and whether an engine runs there. */
const sittings: (PlaceOptions & { pages: string[]; before?: string[] })[] = [
  { pages: ['01-new-channel.md'], engine: true, spare: ['6661', '2580'], fewCases: true },
  { pages: ['02-practice-list.md'], engine: false },
  { pages: ['03-check.md'], engine: false },
  { pages: ['04-dry-run.md'], engine: false },
  { pages: ['05-unit-test-a-mapping.md'], engine: false },
  { pages: ['06-send.md', '07-watch.md'], engine: true },
  {
    pages: ['08-find.md', '09-why.md', '10-replay.md', '11-export.md'],
    engine: true,
    fewCases: true,
  },
  { pages: ['12-prune.md'], engine: true, before: threeRecords },
  { pages: ['13-status-doctor.md'], engine: true },
  { pages: ['14-metrics-rotate.md'], engine: true, before: [ask] },
  { pages: ['15-diff-rollback.md'], engine: true, fewCases: true },
  {
    pages: ['16-second-hospital.md'],
    engine: true,
    spare: ['6660', '6661'],
    fewCases: true,
  },
  { pages: ['17-push.md'], engine: true, spare: ['6662'], fewCases: true },
];

describe('the jobs of the documentation', function () {
  this.timeout(60_000);

  it('are listed on one page, each with the page that shows it', () => {
    const list = readFileSync(join(root, 'docs/jobs/README.md'), 'utf8');
    for (const page of pages) assert.ok(list.includes(`](${page})`), page);
    const shown = pages.filter((page) =>
      readFileSync(join(root, 'docs/jobs', page), 'utf8').includes('```console'),
    );
    assert.deepEqual(shown, pages);
    assert.deepEqual(pages.toSorted(), [...sittings.flatMap((one) => one.pages)].toSorted());
  });

  for (const sitting of sittings) {
    describe(sitting.pages.join(', '), () => {
      let place: Place;
      /** Exchanges as the pages name them, and as they are named here. */
      const ids = new Map<string, string>();
      before(async () => {
        place = await openPlace(sitting);
        for (const command of sitting.before ?? []) await place.play(command);
      });
      after(() => place.close());

      for (const page of sitting.pages) {
        const text = readFileSync(join(root, 'docs/jobs', page), 'utf8');
        const steps = blocksOf(text, 'console').flatMap(commandsOf);
        for (const { command, shown } of steps) {
          it(command, async () => {
            const here = command.replace(exchange, (name) => ids.get(name) ?? name);
            const played = async () => {
              const differences = (await place.play(here)).map((one) =>
                differenceOf(shown, one, ids),
              );
              return differences.every(Boolean) ? differences[0] : undefined;
            };
            let difference = await played();
            // What becomes of a message is told up to a second later, and of a delivery when it is given up.
            const asks =
              / message (list|explain|show) | queue (list|show) | store stats| top /.test(command);
            for (let again = 0; difference && asks && again < 100; again++) {
              await new Promise((next) => setTimeout(next, 250));
              difference = await played();
            }
            assert.equal(difference, undefined);
          });
        }
      }
    });
  }
});
