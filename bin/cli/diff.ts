/** `gatehouse message diff`: how two messages differ, field by field. */
import { differences } from '../../engine/hl7/difference.ts';
import { definitions } from '../../engine/hl7/definitions/definitions.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { parsePath } from '../../engine/hl7/path.ts';
import { partOf } from './deliveries.ts';
import { exits } from './exits.ts';
import { type Form, printListing } from './form.ts';
import { type JournalOptions, exchangeNamed, withJournal } from './journals.ts';
import { maskValue, recordReveal } from './mask.ts';
import { CommandError, say } from './output.ts';
import { messagesIn } from './send.ts';

interface DiffOptions extends JournalOptions {
  reveal?: boolean;
  reason?: string;
  output: Form;
}

/** An exchange by its name, with one of its parts; else it is a file. */
const stored = /^([0-9A-Za-z]{9,11})(?::([a-z]+)(?::(\S+))?)?$/;

/**
 * Tell how two messages differ: `ID`, `ID:PART`, `ID:PART:CHANNEL/DESTINATION` or a file each.
 * @returns 6 where they do
 */
export async function diff(a: string, b: string, options: DiffOptions): Promise<number> {
  const { reveal = false, reason = '' } = options;
  const [before, after] = [await messageOf(a, options), await messageOf(b, options)];
  if (reveal) {
    for (const one of [a, b]) {
      if (stored.test(one)) recordReveal(options.data, one.toUpperCase(), reason);
    }
  }
  const known = definitions(before.get('MSH-12') ?? after.get('MSH-12') ?? '');
  const cover = (at: string, text: string | undefined) =>
    text === undefined || reveal ? text : maskValue(at, text);
  const rows = differences(before, after).map((one) => {
    const { segment, field } = parsePath(one.at);
    const name =
      field === undefined ? known.segment(segment)?.description : known.field(segment, field)?.name;
    const [left, right] = [cover(one.at, one.before), cover(one.at, one.after)];
    return { at: one.at, name: name ?? null, a: left ?? null, b: right ?? null };
  });
  printListing(options.output, {
    kind: 'messageDifferences',
    key: 'differences',
    rows,
    columns: [
      { title: 'FIELD', cell: (row) => row.at },
      { title: 'NAME', cell: (row) => row.name },
      { title: 'A', cell: (row) => row.a ?? '(not there)' },
      { title: 'B', cell: (row) => row.b ?? '(not there)' },
    ],
    beside: { a, b },
  });
  if (rows.length === 0) say('no field differs');
  else if (!reveal) say('patient data is covered; --reveal --reason "…" shows it');
  return rows.length === 0 ? exits.ok : exits.findings;
}

async function messageOf(named: string, options: DiffOptions): Promise<Message> {
  const [, id, part = 'received', to] = stored.exec(named) ?? [];
  if (id === undefined) return messageIn(named);
  const { entries } = await withJournal(options, (journal) => exchangeNamed(journal, id));
  const body = partOf(entries, part, to)?.body;
  if (!body) {
    const at = to === undefined ? '' : ` for ${to}`;
    throw new CommandError(
      `nothing is stored of ${id} as "${part}"${at}`,
      `gatehouse message show ${id}`,
      exits.notFound,
    );
  }
  try {
    return parseMessage(body);
  } catch {
    throw new CommandError(
      `what is stored of ${id} as "${part}" is no HL7 v2 message`,
      `gatehouse message show ${id}`,
      exits.failed,
    );
  }
}

function messageIn(file: string): Message {
  const messages = messagesIn(file);
  const [message] = messages;
  if (!message || messages.length > 1) {
    throw new CommandError(`${file} holds ${messages.length} messages`, 'give one alone');
  }
  return message;
}
