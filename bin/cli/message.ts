/** `gatehouse message show|explain`: what is stored of one exchange, and its story. */
import { faultByCode } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import {
  type Entry,
  type OutboundNote,
  type StoredExchange,
  exchangeName,
} from '../../engine/journal/journal.ts';
import { alikeOf, likeEnded, likeParked, parkedAlikeOf } from './alike.ts';
import { exits } from './exits.ts';
import {
  deliveriesOf,
  deliveryLines,
  deliverySentence,
  linksOf,
  nextOf,
  operatorSentence,
  partOf,
} from './deliveries.ts';
import { type JournalOptions, exchangeNamed, withJournal } from './journals.ts';
import { maskSegments, recordReveal } from './mask.ts';
import { summary } from './message-list.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { time } from './times.ts';
import { warningsOf } from './warnings.ts';

interface ShowOptions extends JournalOptions {
  part?: string;
  to?: string;
  reveal?: boolean;
  reason?: string;
  output: Form;
}

/** Show what is stored of one exchange; masked unless revealed with a reason. */
export async function show(name: string, options: ShowOptions): Promise<number> {
  const exchange = await withJournal(options, (journal) => exchangeNamed(journal, name));
  if (options.reveal) recordReveal(options.data, name, options.reason ?? '');
  if (options.part) return showPart(exchange, options.part, options);
  const entries = exchange.entries.map((entry) => shown(entry, options.reveal === true));
  printOne(options.output, 'exchange', { ...summary(exchange), entries }, () => {
    for (const { at, kind, note, body } of entries) {
      print(`${style('bold', kind.padEnd(11))} ${at}  ${style('dim', JSON.stringify(note ?? {}))}`);
      if (body) print(`${body.replace(/^/gm, '    ')}\n`);
    }
  });
  if (!options.reveal) say('patient data is covered; --reveal --reason "…" shows it');
  return exits.ok;
}

/** The exact bytes of one part, for another program. */
function showPart({ id, entries }: StoredExchange, part: string, options: ShowOptions): number {
  if (!options.reveal)
    throw new CommandError(
      'exact bytes hold patient data',
      'add --reveal --reason "…"',
      'reasonMissing',
    );
  const found = partOf(entries, part, options.to);
  if (!found?.body)
    throw new CommandError(
      `nothing is stored as "${part}"`,
      `gatehouse message show ${exchangeName(id)} shows what is stored, by its part`,
      exits.notFound,
    );
  process.stdout.write(found.body);
  return exits.ok;
}

function shown(entry: Entry, reveal: boolean) {
  const { kind, note, body } = entry;
  return { kind, at: time(entry.at), note, body: body && bodyText(body, reveal) };
}

function bodyText(body: Uint8Array, reveal: boolean): string {
  try {
    const text = segmentLines(parseMessage(body));
    return reveal ? text : maskSegments(text);
  } catch {
    // Not HL7: an HTTP request or reply, or bytes that were no frame.
    return reveal ? Buffer.from(body).toString('utf8') : `${body.length} bytes`;
  }
}

/** Tell the story of one exchange: each step with its time, the likely cause, the next command. */
export async function explain(
  name: string,
  options: JournalOptions & { output: Form },
): Promise<number> {
  const { exchange, alike, parkedAlike } = await withJournal(options, async (journal) => {
    const found = await exchangeNamed(journal, name);
    return {
      exchange: found,
      alike: await alikeOf(journal, found),
      parkedAlike: await parkedAlikeOf(journal, found),
    };
  });
  const revision = revisionOf(exchange);
  const fault = exchange.fault ? faultByCode(exchange.fault) : undefined;
  const steps = stepsOf(exchange);
  const warnings = warningsOf(exchange.entries);
  const deliveries = deliveriesOf(exchange.entries);
  const links = linksOf(exchange.entries);
  const like = { alike, parkedAlike, revision };
  const told = { ...summary(exchange), steps, fault, ...like, warnings, deliveries, links };
  printOne(options.output, 'explanation', told, () => {
    print(
      style('bold', `${exchange.channel}  ${exchange.type ?? 'no message'}  ${exchange.state}`),
    );
    if (exchange.sender) {
      const id = exchange.controlId;
      print(`sent by ${exchange.sender}${id ? `, MSH-10 ${id}` : ''}`);
    }
    print(story(exchange));
    if (exchange.delivery) print(`the answer is ${exchange.delivery}`);
    if (revision) print(`under revision ${revision} of the configuration`);
    if (exchange.repeatOf) print(`a repeat of ${exchangeName(exchange.repeatOf)}`);
    for (const { what, id } of links) print(`${what} ${id}`);
    for (const one of deliveries) {
      print(deliveryLines(one, exchangeName(exchange.id)));
      const same = parkedAlike.find(({ to }) => to === one.to);
      if (same) print(likeParked(same));
    }
    for (const warning of warnings) print(`${style('yellow', 'warning')} ${warning}`);
    if (!fault) return;
    print(
      `\n${style('red', fault.code)} ${fault.says}\nnext: ${nextOf(fault.code, exchangeName(exchange.id))}`,
    );
    print(likeEnded(alike, fault.code));
  });
  return exits.ok;
}

/** Of the configuration under which it was worked on. */
function revisionOf({ entries }: StoredExchange): string | null {
  const told = entries.find(({ note }) => typeof note?.revision === 'string')?.note?.revision;
  return typeof told === 'string' ? told : null;
}

function stepsOf(exchange: StoredExchange) {
  // Replies are stored with what follows them: the order of events is that of their times.
  // The time of an arrival is that of its id, which may be rounded up.
  const order = ({ kind, at }: Entry) => (kind === 'received' || kind === 'broken' ? 0 : at);
  const entries = exchange.entries.toSorted((a, b) => order(a) - order(b));
  return entries.map((entry) => ({
    at: time(entry.at),
    ms: Math.max(0, entry.at - exchange.id) / 1000,
    what: sentence(entry),
  }));
}

/** Each step of an exchange with its time, one a line. */
export function story(exchange: StoredExchange): string {
  return stepsOf(exchange)
    .map(({ at, ms, what }) => `${at.slice(11, 23)}  +${ms.toFixed(1).padStart(7)} ms  ${what}`)
    .join('\n');
}

const ofBatch = ({ batch, number }: Record<string, unknown>) =>
  batch === undefined ? '' : `, message ${number} of batch ${batch}`;

function sentence({ kind, note = {}, body }: Entry): string {
  const bytes = body ? ` \u00b7 ${body.length} B` : '';
  switch (kind) {
    case 'received':
      return `${note.of ? operatorSentence(note) : `received from ${note.peer}`}${ofBatch(note)}${bytes}`;
    case 'broken':
      return `broken bytes from ${note.peer}: ${note.fault}${bytes}`;
    case 'asking':
      return `asks ${note.to}: ${note.interaction}${bytes}`;
    case 'reply':
      return `${note.to} replies${note.status ? ` ${note.status}` : ''}${bytes}`;
    case 'step': {
      const why = note.fault ? ` \u00b7 ${note.fault}${note.detail ? ` ${note.detail}` : ''}` : '';
      return note.do ? `${note.do}: ${note.event}${why} (${note.route})` : `${note.event}`;
    }
    case 'answer':
      return `${note.level === 'accept' ? 'accept acknowledgement' : 'answer'} committed${bytes}`;
    case 'outbound':
      return `${deliverySentence(note as OutboundNote)}${bytes}`;
    case 'operator':
      return operatorSentence(note);
    default:
      return kind;
  }
}
