/** `gatehouse message export`: stored messages as a batch, as JSON lines or as a table. */
import { once } from 'node:events';
import { parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import type { Journal, StoredExchange } from '../../engine/journal/journal.ts';
import { exchangeName } from '../../engine/journal/journal.ts';
import { stringify as csvOf } from 'csv-stringify/sync';
import { partOf } from './deliveries.ts';
import { exits } from './exits.ts';
import { type JournalOptions, withJournal } from './journals.ts';
import { maskMessage, maskSegments, recordReveal } from './mask.ts';
import { summary } from './message-list.ts';
import { CommandError, say } from './output.ts';
import { type Progress, type Surroundings, withProgress } from './progress.ts';
import { type SelectionOptions, everyId, filterOf } from './selection.ts';
import { atMost } from './values.ts';
import { type WholeFile, beginFile } from './whole-file.ts';

interface ExportOptions extends JournalOptions, SelectionOptions {
  format: 'hl7' | 'ndjson' | 'csv';
  part: string;
  to?: string;
  limit?: string;
  out?: string;
  force?: boolean;
  mask?: boolean;
  reveal?: boolean;
  reason?: string;
}

/**
 * Write the messages that fit, oldest first; covered unless revealed with a reason.
 * @returns 3 where none fits
 */
export async function exportMessages(options: ExportOptions): Promise<number> {
  refuseContradictions(options);
  const filter = filterOf(options);
  const most = options.limit === undefined ? Infinity : atMost(options.limit);
  return withJournal(options, async (journal) => {
    const ids = await everyId(journal, filter, most);
    if (ids.length === 0) throw new CommandError('no exchange fits', undefined, exits.notFound);
    const { written, without } = await writeAll(journal, ids, options);
    const name = options.out === undefined ? '' : ` to ${options.out}`;
    say(`${written} ${written === 1 ? 'message' : 'messages'} exported${name}`);
    if (without > 0) say(`${without} left out: they hold no message as "${options.part}"`);
    if (!options.reveal && options.format !== 'csv') {
      say('patient data is covered; --reveal --reason "…" exports it');
    }
    return exits.ok;
  });
}

function refuseContradictions({ format, mask, reveal }: ExportOptions): void {
  if (reveal && mask) throw new CommandError('--mask and --reveal contradict each other');
  if (reveal && format === 'csv') {
    throw new CommandError(
      '--format csv holds no content of messages, so there is nothing to reveal',
      'take --format hl7 or ndjson',
    );
  }
}

/** Write them; a file only whole, so that nothing of it is left where that ends early. */
async function writeAll(
  journal: Pick<Journal, 'read'>,
  ids: readonly number[],
  options: ExportOptions,
): Promise<{ written: number; without: number }> {
  const { out, force } = options;
  const { before, of, after } = formats[options.format];
  let [written, without] = [0, 0];

  async function writeTo(file: WholeFile | undefined, { step }: Progress): Promise<void> {
    const put = async (bytes: Uint8Array | string) => {
      if (file) file.write(bytes);
      else if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    };
    if (options.reveal) record(ids, options);
    await put(before());
    for (const id of ids) {
      const stored = await journal.read(id);
      const bytes = stored && of(stored, options);
      if (bytes === undefined) without += 1;
      else {
        await put(bytes);
        written += 1;
      }
      await step();
    }
    await put(after(written));
  }

  const afterwards =
    out === undefined ? 'narrow it with --since' : 'nothing was kept; call the same command again';
  const task = { doing: 'exporting', unit: 'messages', total: ids.length, afterwards };
  // What is written to a terminal is not to be mixed with how far it is.
  const shown = out === undefined && process.stdout.isTTY ? silently : undefined;
  const work = async (progress: Progress) => {
    const file = out === undefined ? undefined : beginFile(out, force);
    try {
      await writeTo(file, progress);
      file?.keep();
    } finally {
      file?.drop();
    }
  };
  await withProgress(task, work, shown);
  return { written, without };
}

/** Who exports what of patients, before any of it is written. */
function record(ids: readonly number[], { data, part, reason = '' }: ExportOptions): void {
  const [from, to] = [ids[0] ?? 0, ids.at(-1) ?? 0].map(exchangeName);
  recordReveal(data, 'export', reason, { count: ids.length, from, to, part });
}

/** As `withProgress` is, without a terminal. */
const silently: Surroundings = {
  stream: { write: () => true, isTTY: false, columns: 80 },
  signals: process,
  now: () => performance.now(),
  kill: (signal) => void process.kill(process.pid, signal),
};

interface Format {
  before(): string;
  /** One exchange; undefined where it has nothing to be written. */
  of(stored: StoredExchange, options: ExportOptions): Uint8Array | string | undefined;
  after(count: number): string;
}

const formats: Readonly<Record<ExportOptions['format'], Format>> = {
  // HL7 v2.5 §2.10.3: one file with one batch, which names how many messages it holds.
  hl7: {
    before: () => {
      const at = new Date().toISOString().replace(/[-T:]|\..*/g, '');
      return `FHS|^~\\&|GATEHOUSE|||||${at}\rBHS|^~\\&|GATEHOUSE|||||${at}\r`;
    },
    of(stored, { part, to, reveal }) {
      const body = bodyOf(stored, part, to);
      if (!body) return undefined;
      const bytes = reveal ? Buffer.from(body.bytes) : maskMessage(body.message);
      return /[\r\n]$/.test(bytes.toString('latin1', bytes.length - 1))
        ? bytes
        : Buffer.concat([bytes, Buffer.from('\r')]);
    },
    after: (count) => `BTS|${count}\rFTS|1\r`,
  },
  ndjson: {
    before: () => '',
    of(stored, { part, to, reveal }) {
      const body = bodyOf(stored, part, to);
      const text = body && segmentLines(body.message).toWellFormed();
      const message = text === undefined ? null : reveal ? text : maskSegments(text);
      return `${JSON.stringify({ ...summary(stored), part, message })}\n`;
    },
    after: () => '',
  },
  csv: {
    before: () => csvOf([], { header: true, columns: csvColumns }),
    of: (stored) => csvOf([summary(stored)], { columns: csvColumns }),
    after: () => '',
  },
};

const csvColumns = [
  ...['id', 'at', 'channel', 'state', 'delivery', 'sender', 'controlId', 'type', 'practice'],
  ...['fault', 'repeatOf', 'tookMs'],
];

/** One part of an exchange, where it is an HL7 v2 message. */
function bodyOf({ entries }: StoredExchange, part: string, to: string | undefined) {
  const bytes = partOf(entries, part, to)?.body;
  if (!bytes) return undefined;
  try {
    return { bytes, message: parseMessage(bytes) };
  } catch {
    return undefined;
  }
}
