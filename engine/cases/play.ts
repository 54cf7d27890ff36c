/** Plays a case through the real exchange: same channel, route, mapping and clients, no sockets. */
import type { LoadedChannel } from '../config/site.ts';
import { silent } from '../events.ts';
import { exchangesOf } from '../exchange.ts';
import { parseMessage } from '../hl7/message.ts';
import { segmentLines } from '../hl7/readable.ts';
import type { Entry } from '../journal/journal.ts';
import { memoryJournal } from '../journal/memory.ts';
import { joinOutside } from '../outside.ts';
import { createGpSide } from '../simulator/gp.ts';
import { readScenario } from '../simulator/scenarios.ts';
import { createMllpGp } from '../simulator/mllp-gp.ts';
import type { Case, Exchange } from './case.ts';
import { type Difference, compareSection } from './compare.ts';
import { httpInProcess, mllpInProcess } from './in-process.ts';

export interface Played {
  story: Case;
  /** What happened, in the form the case is written in. */
  results: Required<Exchange>[];
  differences: (Difference & { section: string; exchange: number })[];
  /** States of the route that were passed, for the coverage of its paths. */
  states: string[];
}

/**
 * Play a case.
 * @param patients folder of the simulator's records
 */
export async function playCase(
  story: Case,
  loaded: LoadedChannel,
  patients: string,
): Promise<Played> {
  let clock = story.at.getTime() * 1000;
  const now = () => (clock += 1);
  const today = () => story.at;
  const journal = memoryJournal(now);
  const gp = createGpSide({ patients, now: today });
  const legacy = createMllpGp({ patients, now: today });
  for (const { nhsNumber, scenario } of story.scenarios) {
    gp.set(nhsNumber, readScenario(scenario));
  }
  const channel = withPatience(loaded, story.patience);
  const connect = {
    http: (options: Parameters<typeof httpInProcess>[0]) => httpInProcess(options, gp.answer, now),
    mllp: (options: { answerMs: number }, correlate: (reply: Buffer) => string | undefined) =>
      mllpInProcess(options.answerMs, legacy.answer, correlate),
    now: () => story.at.getTime(),
  };
  const outside = {
    ...joinOutside(channel, connect, {}),
    practiceOf: (patient: string) => journal.practiceOf(patient),
  };
  const respond = exchangesOf(channel, { journal, outside, emit: silent, now });

  const results: Required<Exchange>[] = [];
  const states: string[] = [];
  for (const exchange of story.exchanges) {
    const before = new Set((await journal.list({ limit: 1000 })).map(({ id }) => id));
    const written: Uint8Array[] = [];
    const peer = { connection: 1, address: 'case' };
    const arrival = { kind: 'message', payload: bytesOf(exchange.in), warnings: [] } as const;
    const response = await respond({ ...arrival, warnings: [] }, peer, (p) => written.push(p));
    if (response) {
      written.push(response.payload);
      response.settled('delivered');
    }
    const [id] = (await journal.list({ limit: 1000 }))
      .map((e) => e.id)
      .filter((i) => !before.has(i));
    const entries = id === undefined ? [] : ((await journal.read(id))?.entries ?? []);
    results.push({
      in: exchange.in,
      asked: lines(
        entries
          .filter((e) => e.kind === 'asking')
          .map((e) => `${e.note?.to} ${e.note?.interaction}`),
      ),
      out: lines(written.map((payload) => segmentLines(parseMessage(payload)))),
      journal: lines(entries.map(entryLine)),
    });
    states.push(...entries.flatMap((e) => (e.note?.do ? [`${e.note.state} ${e.note.event}`] : [])));
  }
  return { story, results, states, differences: differencesOf(story, results) };
}

function differencesOf(story: Case, results: Required<Exchange>[]): Played['differences'] {
  return story.exchanges.flatMap((expected, index) =>
    (['asked', 'out', 'journal'] as const).flatMap((section) => {
      const got = results[index]?.[section] ?? '';
      const wanted = expected[section];
      if (wanted === undefined) return [];
      return compareSection(section, wanted, got).map((difference) => ({
        ...difference,
        section,
        exchange: index + 1,
      }));
    }),
  );
}

const lines = (all: string[]) => all.map((line) => `${line}\n`).join('');

/** Segments one a line become a message: UTF-8, each segment ended with CR. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r'), 'utf8');
}

/** One journal entry as a case tells it: without times, ids and bytes. */
function entryLine({ kind, note = {} }: Entry): string {
  switch (kind) {
    case 'step':
      return `${note.do} ${note.event}${note.fault ? ` ${note.fault}` : ''}`;
    case 'asking':
      return `asking ${note.to} ${note.interaction}`;
    case 'reply':
      return `reply ${note.to}${note.status ? ` ${note.status}` : ''}`;
    case 'answer':
      return `answer ${note.level}`;
    default:
      return kind;
  }
}

function withPatience(loaded: LoadedChannel, answer: number | undefined): LoadedChannel {
  if (answer === undefined) return loaded;
  return { ...loaded, channel: { ...loaded.channel, patience: { answer } } };
}
