/**
 * `gatehouse message list --text`: which messages hold a text. No index holds what messages say, so
 * each one has to be opened: what that costs is told before, and where a match stands is shown
 * covered.
 */
import { readFileSync } from 'node:fs';
import { parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import {
  type Entry,
  type ExchangeId,
  type Journal,
  type OutboundNote,
  type StoredExchange,
  exchangeName,
} from '../../engine/journal/journal.ts';
import { amount } from '../../engine/watch/words.ts';
import { exits } from './exits.ts';
import { type Column, printListing } from './form.ts';
import { withJournal } from './journals.ts';
import { maskValue } from './mask.ts';
import type { ListOptions } from './message-list.ts';
import { CommandError, say } from './output.ts';
import { confirm } from './person.ts';
import { withProgress } from './progress.ts';
import { everyId, filterOf } from './selection.ts';
import { time } from './times.ts';
import { atMost } from './values.ts';

interface TextOptions extends ListOptions {
  text: string;
  yes?: boolean;
}

/** One message that holds the text. */
interface Match {
  id: string;
  at: string;
  channel: string;
  type: string | null;
  state: string;
  /** `received`, `answer`, `sent adt/epr` */
  part: string;
  /** The first place of it: `PID-5`. */
  place: string;
  /** What stands there, covered. */
  shows: string;
}

/** So many are opened without a question: it takes a second or two. */
const few = 1000;
/** Opened beforehand, to know what one costs. */
const sampled = 20;

/** List the messages that hold a text, in capitals or not. @returns 5 where it was interrupted */
export async function searchText(options: TextOptions): Promise<number> {
  const wanted = options.text === '-' ? readFileSync(0, 'utf8').trim() : options.text;
  if (wanted === '') throw new CommandError('there is no text to look for');
  if (options.nhs === '-' && options.text === '-') {
    throw new CommandError('--nhs and --text cannot both be read from stdin');
  }
  const filter = filterOf(options);
  const most = atMost(options.limit);
  return withJournal(options, async (journal) => {
    const ids = await everyId(journal, filter);
    if (ids.length > few) {
      const cost = await costOf(journal, ids);
      say(`${cost}; --channel, --since, --until and other filters make it less`);
      await confirm('Each of them is to be opened.', options.yes, 'add --yes, or narrow it');
    }
    const found: Match[] = [];
    let early: unknown;
    const task = { doing: 'searching', unit: 'messages', total: ids.length };
    await withProgress({ ...task, afterwards: 'narrow it with --since' }, async ({ step }) => {
      for (const id of ids.toReversed()) {
        const stored = await journal.read(id);
        if (stored) found.push(...matchesIn(stored, wanted.toLowerCase()));
        if (found.length >= most) break;
        await step();
      }
    }).catch((error: unknown) => {
      // What was found until then is told all the same.
      early = error;
    });
    const rows = found.slice(0, most);
    printListing(options.output, { kind: 'textMatches', key: 'matches', rows, columns });
    if (early) throw early;
    if (rows.length === 0) say(`none of ${ids.length} messages holds it`);
    if (found.length >= most) say(`only the newest ${most}; --limit gives more`);
    return exits.ok;
  });
}

/** How many have to be opened, how large they are and how long it takes, going by some of them. */
async function costOf(journal: Journal, ids: readonly ExchangeId[]): Promise<string> {
  const every = Math.max(1, Math.floor(ids.length / sampled));
  const sample = ids.filter((_, index) => index % every === 0).slice(0, sampled);
  const began = performance.now();
  let bytes = 0;
  for (const id of sample) {
    for (const { body } of (await journal.read(id))?.entries ?? []) bytes += body?.length ?? 0;
  }
  const of = ids.length / sample.length;
  const seconds = Math.ceil(((performance.now() - began) * of) / 1000);
  const count = ids.length.toLocaleString('en-GB');
  return `${count} messages, about ${amount(bytes * of)}, have to be opened: about ${seconds} s`;
}

/** The parts of an exchange that hold a text, each with the first place of it. */
function* matchesIn(stored: StoredExchange, wanted: string): Generator<Match> {
  const { channel, type, state } = stored;
  const of = { id: exchangeName(stored.id), at: time(stored.id), channel, type, state };
  for (const entry of stored.entries) {
    const found = entry.body && placeIn(entry.body, wanted);
    if (found) yield { ...of, part: partName(entry), ...found };
  }
}

function partName({ kind, note = {} }: Entry): string {
  if (kind !== 'outbound') return note.to === undefined ? kind : `${kind} ${String(note.to)}`;
  const { to, state } = note as OutboundNote;
  return `${state === 'sending' ? 'sent' : 'reply'} ${to}`;
}

function placeIn(body: Uint8Array, wanted: string): Pick<Match, 'place' | 'shows'> | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let message;
  try {
    message = parseMessage(body);
  } catch {
    // An HTTP request or reply, or bytes that were no frame: they have no places.
    if (!bytes.toString('utf8').toLowerCase().includes(wanted)) return undefined;
    return { place: '', shows: `in ${body.length} B that are no HL7 v2` };
  }
  const text = segmentLines(message);
  if (!text.toLowerCase().includes(wanted)) return undefined;
  const seen: Record<string, number> = {};
  for (const name of message.segmentNames().filter(Boolean)) {
    const occurrence = (seen[name] = (seen[name] ?? 0) + 1);
    const at = occurrence === 1 ? name : `${name}[${occurrence}]`;
    for (let field = 1; field <= message.fields(at); field++) {
      const value = message.raw(`${at}-${field}`) ?? '';
      if (!value.toLowerCase().includes(wanted)) continue;
      return { place: `${at}-${field}`, shows: maskValue(at, value) };
    }
  }
  return { place: 'over several fields', shows: '' };
}

const columns: Column<Match>[] = [
  { title: 'ID', cell: (one) => one.id },
  { title: 'TIME', cell: (one) => one.at },
  { title: 'CHANNEL', cell: (one) => one.channel },
  { title: 'TYPE', cell: (one) => one.type },
  { title: 'STATE', cell: (one) => one.state },
  { title: 'PART', cell: (one) => one.part },
  { title: 'PLACE', cell: (one) => one.place },
  { title: 'SHOWS', cell: (one) => one.shows },
];
