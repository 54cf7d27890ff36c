/** Plays a case through the real exchange: same channel, route, mapping and clients, no sockets. */
import type { LoadedChannel } from '../config/site.ts';
import { ConfigError, nearest, shortPath } from '../config/yaml.ts';
import { silent } from '../events.ts';
import { exchangesOf } from '../exchange.ts';
import { isBatch } from '../hl7/batch.ts';
import { parseMessage } from '../hl7/message.ts';
import { segmentLines } from '../hl7/readable.ts';
import type { Entry, ExchangeId, StoredExchange } from '../journal/journal.ts';
import type { Arrival, Respond } from '../mllp/mllp.ts';
import { memoryJournal } from '../journal/memory.ts';
import { joinOutside } from '../outside.ts';
import { createGpSide } from '../simulator/gp.ts';
import { createMllpGp } from '../simulator/mllp-gp.ts';
import { type Case, type Exchange, type Result, expected } from './case.ts';
import { type Difference, type Why, compareSection } from './compare.ts';
import type { Step } from './coverage.ts';
import { type CaseDeliveries, playDeliveries } from './deliveries.ts';
import { consumersOf } from './consumers.ts';
import { httpInProcess, mllpInProcess } from './in-process.ts';
import { playMapping } from './mapping-case.ts';
import { type Provenance, createReasons } from './reasons.ts';

export interface Played {
  story: Case;
  /** What happened, in the form the case is written in. */
  results: Result[];
  differences: (Difference & { section: string; exchange: number })[];
  /** Of each exchange what was wrong, as the journal has it: the code, and where it lies. */
  details?: { fault: string; detail: string }[][];
  /** Of each exchange the fields that a mapping set; none of a case of a mapping. */
  provenance?: Provenance[][];
  /** Steps of the routes, for the coverage of their paths. */
  steps: Step[];
  /** Rules of mappings that wrote something, as `file:line`, for their coverage. */
  rules: ReadonlySet<string>;
}

/** So many cases at once: more would let the senders' deadlines run out while others are mapped. */
const atOnce = 8;

/**
 * Play cases as `playCase` plays one. Those in which something goes wrong take time, for they wait,
 * and little else: they are played beside the others, the most patient first.
 * @returns what happened, in the order of the cases
 */
export async function playCases(
  stories: readonly Case[],
  channels: readonly LoadedChannel[],
  patients: string,
): Promise<Played[]> {
  const played: Played[] = [];
  const all = [...stories.entries()];
  const waiting = all.filter(([, story]) => waits(story));
  waiting.sort(([, a], [, b]) => (b.patience ?? 0) - (a.patience ?? 0));
  const others = all.filter(([, story]) => !waits(story));
  const playAll = async (row: Iterable<[number, Case]>) => {
    for (const [i, story] of row) played[i] = await playCase(story, channels, patients);
  };
  // What plays a row takes the next one from where it stands.
  const rows = [waiting.values(), others.values()];
  await Promise.all(rows.flatMap((row) => Array.from({ length: atOnce }, () => playAll(row))));
  return played;
}

/** Whether somebody may wait in it: for what does not come, or to try again. */
const waits = ({ scenarios, receivers }: Case) => scenarios.length > 0 || receivers.length > 0;

/**
 * Play a case.
 * @param channels those of the site
 * @param patients folder of the simulator's records
 * @throws ConfigError where the case names a channel or a destination that is not there
 */
export async function playCase(
  story: Case,
  channels: readonly LoadedChannel[],
  patients: string,
): Promise<Played> {
  if (story.mapping) return playMapping(story, story.mapping);
  const plays = story.exchanges.map((exchange) => ({
    exchange,
    loaded: channelOf(story, exchange, channels),
  }));
  let clock = story.at.getTime() * 1000;
  const now = () => (clock += 1);
  const today = () => story.at;
  const journal = memoryJournal(now);
  // A site that only delivers has no patients, and needs no GP side.
  const gp = once(() => createGpSide({ patients, consumers: consumersOf(channels), now: today }));
  const legacy = once(() => createMllpGp({ patients, now: today }));
  for (const { at, nhsNumber, scenario } of story.scenarios) {
    if (at === 'mllp') legacy().set(nhsNumber, scenario);
    else gp().set(nhsNumber, scenario);
  }
  const reasons = createReasons();
  const connect = {
    mapper: reasons.mapper,
    http: (options: Parameters<typeof httpInProcess>[0]) =>
      httpInProcess(options, (request) => gp().answer(request), now),
    mllp: (options: { answerMs: number }, correlate: (reply: Buffer) => string | undefined) =>
      mllpInProcess(options.answerMs, (payload) => legacy().answer(payload), correlate),
    now: () => story.at.getTime(),
  };
  const practiceOf = (patient: string) => journal.practiceOf(patient);
  const inCase = new Map<LoadedChannel, { respond: Respond; deliveries: CaseDeliveries }>();
  for (const loaded of new Set(plays.map((one) => one.loaded))) {
    const channel = reasons.keeping(asTold(loaded, story));
    const outside = { ...joinOutside(channel, connect, {}), practiceOf };
    // With a clock of its own, for the ids of the exchanges are times.
    let later = clock;
    const tick = () => (later += 1);
    const deliveries = await playDeliveries(channel, story.receivers, outside, journal, tick);
    const { owed } = deliveries;
    const respond = exchangesOf(channel, { journal, outside, emit: silent, owed, now });
    inCase.set(loaded, { respond, deliveries });
  }

  const results: Result[] = [];
  const differences: Played['differences'] = [];
  const provenance: Provenance[][] = [];
  const details: NonNullable<Played['details']> = [];
  const steps: Step[] = [];
  const played: ExchangeId[] = [];
  for (const [index, { exchange, loaded }] of plays.entries()) {
    reasons.next();
    const written: Uint8Array[] = [];
    const peer = { connection: 1, address: 'case' };
    const arrival: Arrival = {
      kind: 'message',
      payload: exchange.bytes ?? bytesOf(exchange.in),
      warnings: [],
    };
    const { respond, deliveries } = inCase.get(loaded) ?? {};
    const response = await respond?.(arrival, peer, (payload) => written.push(payload));
    if (response) {
      written.push(response.payload);
      response.settled('delivered');
    }
    await deliveries?.settled();
    // Of a batch the first is the batch itself, the others are its messages.
    const begun = (await journal.list({ limit: 1000 })).filter(({ id }) => !played.includes(id));
    const ids = begun.map(({ id }) => id).sort((a, b) => a - b);
    const all = await Promise.all(ids.map((id) => journal.read(id)));
    played.push(...ids);
    const [stored] = all;
    const entries = stored?.entries ?? [];
    const asking = entries.filter((e) => e.kind === 'asking');
    const result: Result = {
      asked: lines(asking.map((e) => `${e.note?.to} ${e.note?.interaction}`)),
      out: lines(written.map(shown)),
      delivered: all.map((one) => deliveries?.tell(one?.entries ?? []) ?? '').join(''),
      journal: lines([
        ...entries.filter(({ kind }) => kind !== 'outbound').map(entryLine),
        ...(stored ? [endLine(stored, played)] : []),
      ]),
    };
    results.push(result);
    provenance.push(reasons.fields());
    details.push(entries.flatMap(detailOf));
    const whyOf = (section: string) => reasons.of(section, loaded, entries);
    differences.push(...differencesOf(exchange, result, index + 1, whyOf));
    steps.push(...entries.flatMap((entry) => stepOf(loaded, entry)));
  }
  await Promise.all(Array.from(inCase.values(), ({ deliveries }) => deliveries.stop()));
  return { story, results, steps, differences, provenance, details, rules: reasons.used };
}

function channelOf(
  story: Case,
  { channel, line }: Exchange,
  channels: readonly LoadedChannel[],
): LoadedChannel {
  const found = channels.find((loaded) => loaded.channel.channel === channel);
  if (found) return found;
  const known = channels.map((loaded) => loaded.channel.channel);
  throw unknown(`${shortPath(story.file)}:${line}`, 'channel', channel, known);
}

function unknown(where: string, what: string, name: string, known: readonly string[]) {
  const near = nearest(name, known);
  const says = `there is no ${what} "${name}"${near ? `; did you mean "${near}"?` : ''}`;
  const next = `${what}s known: ${known.join(', ') || 'none'}`;
  return new ConfigError([{ severity: 'error', where, says, next }]);
}

function differencesOf(
  exchange: Exchange,
  result: Result,
  number: number,
  whyOf: (section: string) => Why | undefined,
): Played['differences'] {
  return expected.flatMap((section) => {
    const wanted = exchange[section];
    if (wanted === undefined) return [];
    return compareSection(section, wanted, result[section], whyOf(section)).map((difference) => ({
      ...difference,
      section,
      exchange: number,
    }));
  });
}

function stepOf({ route: own, pushRoutes }: LoadedChannel, { note }: Entry): Step[] {
  if (typeof note?.do !== 'string') return [];
  const [name = ''] = String(note.route).split('@');
  const route = (note.for === undefined ? undefined : pushRoutes?.get(name)) ?? own;
  const { state } = route.at(String(note.state));
  return [{ route: route.name, state, outcome: String(note.event) }];
}

/** What is made when it is first needed. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const lines = (all: string[]) => all.map((line) => `${line}\n`).join('');

/** Segments one a line become a message: UTF-8, each segment ended with CR. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r'), 'utf8');
}

/** What was written, one segment a line. */
function shown(payload: Uint8Array): string {
  if (!isBatch(payload)) return segmentLines(parseMessage(payload));
  return Buffer.from(payload).toString('utf8').trimEnd().replaceAll('\r', '\n');
}

/** One journal entry as a case tells it: without times, ids and bytes. */
function entryLine({ kind, note = {} }: Entry): string {
  switch (kind) {
    case 'step':
      if (!note.do) return String(note.event);
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

function detailOf({ note = {} }: Entry): { fault: string; detail: string }[] {
  const { fault, detail } = note;
  return typeof fault === 'string' && typeof detail === 'string' ? [{ fault, detail }] : [];
}

/** How the exchange ended: `rejected GH-4002`, `answered, a repeat of exchange 1`. */
function endLine({ state, fault, repeatOf }: StoredExchange, played: ExchangeId[]): string {
  const repeat = repeatOf === null ? '' : `, a repeat of exchange ${played.indexOf(repeatOf) + 1}`;
  return `${state}${fault === null ? '' : ` ${fault}`}${repeat}`;
}

/** The channel with what the case says otherwise. */
function asTold(loaded: LoadedChannel, { file, patience: answer, accepts, ask, push }: Case) {
  const { channel } = loaded;
  const destinations = Object.keys(channel.destinations);
  for (const step of ['trace', 'locate', 'record', 'second'] as const) {
    const name = ask[step];
    if (name === undefined || destinations.includes(name)) continue;
    throw unknown(shortPath(file), 'destination', name, destinations);
  }
  const patience = answer === undefined ? channel.patience : { answer };
  return {
    ...loaded,
    channel: {
      ...channel,
      patience,
      accepts: [...channel.accepts, ...accepts],
      ask: { ...channel.ask, ...ask },
      deliver: channel.deliver.map((entry) =>
        entry.push ? { ...entry, push: { ...entry.push, ...push } } : entry,
      ),
    },
  };
}
