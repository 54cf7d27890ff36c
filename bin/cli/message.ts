/** `gatehouse message list|show|explain`: what the journal holds. */
import { readFileSync } from 'node:fs';
import { faultByCode } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import {
  type Entry,
  type ExchangeSummary,
  type OutboundNote,
  type Progress,
  type StoredExchange,
  exchangeName,
} from '../../engine/journal/journal.ts';
import { exits } from './exits.ts';
import {
  deliveriesOf,
  deliveryLines,
  deliverySentence,
  linksOf,
  operatorSentence,
  partOf,
} from './deliveries.ts';
import { type JournalOptions, exchangeNamed, since, withJournal } from './journals.ts';
import { whole } from './values.ts';
import { maskSegments, recordReveal } from './mask.ts';
import { type Form, printListing, printOne } from './form.ts';
import { CommandError, print, say, style } from './output.ts';
import { time } from './times.ts';
import { warningsOf } from './warnings.ts';

interface ListOptions extends JournalOptions {
  channel?: string;
  state?: string;
  fault?: string;
  controlId?: string;
  nhs?: string;
  since?: string;
  limit: string;
  output: Form;
}

/** List exchanges, newest first. */
export async function list(options: ListOptions): Promise<number> {
  const found = await withJournal(options, (journal) =>
    journal.list({
      channel: options.channel,
      state: options.state as Progress | undefined,
      fault: options.fault?.toUpperCase(),
      controlId: options.controlId,
      // A number given as "-" comes from stdin, so that it stays out of the shell's history.
      patient: options.nhs === '-' ? readFileSync(0, 'utf8').trim() : options.nhs,
      since: options.since === undefined ? undefined : since(options.since),
      limit: whole(options.limit),
    }),
  );
  printListing(options.output, {
    kind: 'exchanges',
    key: 'exchanges',
    rows: found.map(summary),
    columns: [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'TIME', cell: ({ at }) => at },
      { title: 'CHANNEL', cell: ({ channel }) => channel },
      { title: 'TYPE', cell: ({ type }) => type },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'DELIVERY', cell: ({ delivery }) => delivery },
      { title: 'MS', cell: ({ tookMs }) => tookMs.toFixed(1) },
      { title: 'FAULT', cell: ({ fault }) => fault && named(fault) },
      { title: 'SENDER', cell: ({ sender }) => sender, wide: true },
      { title: 'CONTROL ID', cell: ({ controlId }) => controlId, wide: true },
      { title: 'PRACTICE', cell: ({ practice }) => practice, wide: true },
      { title: 'REPEAT OF', cell: ({ repeatOf }) => repeatOf, wide: true },
    ],
  });
  if (found.length === 0) say('no exchange fits');
  return exits.ok;
}

const named = (fault: string): string => `${fault} ${faultByCode(fault)?.name ?? ''}`;

/** Field by field: what is stored of an exchange holds patient data. */
function summary(e: ExchangeSummary) {
  const { channel, state, delivery, sender, controlId, type, practice, fault } = e;
  return {
    id: exchangeName(e.id),
    at: time(e.id),
    ...{ channel, state, delivery, sender, controlId, type, practice, fault },
    repeatOf: e.repeatOf === null ? null : exchangeName(e.repeatOf),
    tookMs: e.took / 1000,
  };
}

interface ShowOptions extends JournalOptions {
  part?: string;
  to?: string;
  reveal?: boolean;
  reason?: string;
  output: Form;
}

/** Show what is stored of one exchange; masked unless revealed with a reason. */
export async function show(name: string, options: ShowOptions): Promise<number> {
  if (options.reveal && !options.reason) {
    throw new CommandError(
      '--reveal needs --reason',
      'say why patient data is shown: --reason "…"',
    );
  }
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
function showPart({ entries }: StoredExchange, part: string, options: ShowOptions): number {
  if (!options.reveal)
    throw new CommandError('exact bytes hold patient data', 'add --reveal --reason "…"');
  const found = partOf(entries, part, options.to);
  if (!found?.body)
    throw new CommandError(`nothing is stored as "${part}"`, undefined, exits.notFound);
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
  const { exchange, alike } = await withJournal(options, async (journal) => {
    const found = await exchangeNamed(journal, name);
    const same = found.fault ? await journal.list({ fault: found.fault, limit: 1000 }) : [];
    return { exchange: found, alike: same.filter(({ id }) => id !== found.id).length };
  });
  const fault = exchange.fault ? faultByCode(exchange.fault) : undefined;
  const steps = stepsOf(exchange);
  const warnings = warningsOf(exchange.entries);
  const deliveries = deliveriesOf(exchange.entries);
  const links = linksOf(exchange.entries);
  const told = { ...summary(exchange), steps, fault, alike, warnings, deliveries, links };
  printOne(options.output, 'explanation', told, () => {
    print(
      style('bold', `${exchange.channel}  ${exchange.type ?? 'no message'}  ${exchange.state}`),
    );
    print(story(exchange));
    if (exchange.delivery) print(`the answer is ${exchange.delivery}`);
    if (exchange.repeatOf) print(`a repeat of ${exchangeName(exchange.repeatOf)}`);
    for (const { what, id } of links) print(`${what} ${id}`);
    for (const one of deliveries) print(deliveryLines(one, exchangeName(exchange.id)));
    for (const warning of warnings) print(`${style('yellow', 'warning')} ${warning}`);
    if (!fault) return;
    print(`\n${style('red', fault.code)} ${fault.says}\nnext: ${fault.next}`);
    print(
      alike === 0
        ? 'no other exchange ended so'
        : `${alike} others ended so: gatehouse message list --fault ${fault.code}`,
    );
  });
  return exits.ok;
}

function stepsOf(exchange: StoredExchange) {
  // Replies are stored with what follows them: the order of events is that of their times.
  const entries = exchange.entries.toSorted((a, b) => a.at - b.at);
  return entries.map((entry) => ({
    at: time(entry.at),
    ms: (entry.at - exchange.id) / 1000,
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
