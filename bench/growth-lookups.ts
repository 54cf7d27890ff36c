/** How long it takes to find something in a grown journal, for a command and for the engine. */
import { silent } from '../engine/events.ts';
import type { Filter, Journal } from '../engine/journal/journal.ts';
import { openJournal } from '../engine/journal/sqlite.ts';
import { channels, faults, made, randomOf, types } from './growth-messages.ts';

export interface Lookup {
  what: string;
  /** Milliseconds, over many random ones. */
  p50: number;
  p99: number;
  max: number;
  /** How many exchanges were found in all, so that nobody measures finding nothing. */
  found: number;
  /** A combination of filters, which may take longer. */
  combined?: boolean;
}

export interface Grown {
  folder: string;
  messages: number;
  /** Exchanges to ask for, by the number of their message. */
  sample: ReadonlyMap<number, number>;
  /** When the first and the last message came, microseconds since 1970. */
  first: number;
  last: number;
}

type Ask = (journal: Journal, n: number) => Promise<number>;

const listed =
  (filter: (n: number) => Filter): Ask =>
  async (journal, n) =>
    (await journal.list(filter(n))).length;

/** What is asked for, by name; `n` is random. */
function asks({
  messages,
  sample,
  first,
  last,
}: Grown): Record<string, { ask: Ask; combined?: boolean }> {
  const ids = [...sample.values()];
  const of = (n: number) => made(n % messages, messages);
  const at = (n: number): number => first + (n / 2 ** 32) * (last - first);
  const one = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;
  const together = (filter: (n: number) => Filter) => ({ ask: listed(filter), combined: true });
  return {
    'exchange id': {
      ask: async (journal, n) => ((await journal.read(one(ids, n))) ? 1 : 0),
    },
    'control id': { ask: listed((n) => ({ controlId: of(n).keys.controlId })) },
    patient: { ask: listed((n) => ({ patient: of(n).keys.patient })) },
    practice: { ask: listed((n) => ({ practice: of(n).keys.practice })) },
    'page of a time': { ask: listed((n) => ({ until: at(n), limit: 50 })) },
    channel: { ask: listed((n) => ({ channel: one(channels, n), until: at(n) })) },
    state: { ask: listed((n) => ({ state: one(['rejected', 'parked'], n), until: at(n) })) },
    fault: { ask: listed((n) => ({ fault: one(faults, n), until: at(n) })) },
    'practice of a patient': {
      ask: async (journal, n) => ((await journal.practiceOf(of(n).keys.patient)) ? 1 : 0),
    },
    'patient, channel, state': together((n) => {
      const { channel, keys } = of(n);
      return { channel, state: keys.state, patient: keys.patient };
    }),
    'channel, state': together((n) => ({ channel: one(channels, n), state: 'rejected' })),
    'channel, fault': together((n) => ({ channel: one(channels, n), fault: one(faults, n >>> 3) })),
    'channel, type, state': together((n) => {
      return { channel: one(channels, n), type: one(types, n >>> 3), state: 'rejected' };
    }),
    // Each sender sends to one channel: these are never found, so all there is has to be ruled out.
    'another’s channel': together((n) => {
      const [mine, other] = [of(n), of(n + 1)];
      return { sender: mine.keys.sender, channel: other.channel, type: other.keys.type };
    }),
    'practice, fault': together((n) => ({ practice: of(n).keys.practice, fault: one(faults, n) })),
    'practice, channel, state': together((n) => {
      return { practice: of(n).keys.practice, channel: one(channels, n >>> 3), state: 'parked' };
    }),
    'a type that never came': together(() => ({ type: 'ORU^R01' })),
  };
}

/**
 * Ask for each many times.
 * @param open gives a journal, and what is done with it afterwards: for a command it is opened each time
 */
async function measure(
  grown: Grown,
  times: number,
  open: () => Promise<{ journal: Journal; done(): Promise<void> }>,
): Promise<Lookup[]> {
  const rows: Lookup[] = [];
  for (const [what, { ask, combined }] of Object.entries(asks(grown))) {
    const took: number[] = [];
    let found = 0;
    for (let n = 0; n < times; n++) {
      const began = performance.now();
      const { journal, done } = await open();
      found += await ask(journal, randomOf(n * 7919 + 13));
      took.push(performance.now() - began);
      await done();
    }
    took.sort((a, b) => a - b);
    const at = (share: number) => took[Math.min(took.length - 1, Math.floor(share * took.length))];
    const [p50 = 0, p99 = 0, max = 0] = [at(0.5), at(0.99), took.at(-1)];
    rows.push({ what, p50, p99, max, found, combined });
  }
  return rows;
}

/** As a command asks: the journal is opened for reading, asked once, closed. */
export function measureCommand(grown: Grown, times: number): Promise<Lookup[]> {
  return measure(grown, times, async () => {
    const journal = await openJournal({ folder: grown.folder, readOnly: true, emit: silent });
    return { journal, done: () => journal.close() };
  });
}

/** As the engine asks: its own journal, open for years. */
export function measureEngine(grown: Grown, journal: Journal, times: number): Promise<Lookup[]> {
  return measure(grown, times, async () => ({ journal, done: async () => {} }));
}
