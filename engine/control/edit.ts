/** A stored message changed by a person. The stored one is not touched: what is sent is a new one. */
import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { FaultError } from '../faults.ts';
import { type FieldDifference, differences } from '../hl7/difference.ts';
import { type CharsetName, type Message, parseMessage } from '../hl7/message.ts';
import { exchangeName, exchangeOf } from '../journal/journal.ts';
import { person } from './operator.ts';
import { Refusal } from './refusal.ts';

/** What `gatehouse message edit` asks for. */
export const editing = z.strictObject({
  id: z.string(),
  /** Text as it stands in a message, already escaped, by its place. */
  set: z.array(z.strictObject({ path: z.string(), value: z.string() })).default([]),
  /** The whole message in the place of the stored one, base64. */
  message: z.base64().optional(),
  /** Give it a MSH-10 of its own. */
  newId: z.boolean().default(false),
  to: z.string().optional(),
  from: z.enum(['start', 'failed']).optional(),
  includeSuperseded: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  ...person,
});

export interface Edited {
  bytes: Uint8Array;
  differences: FieldDifference[];
}

/**
 * Make the edited message.
 * @throws Refusal where there is no such message, a value cannot be set, or nothing is changed
 */
export async function edited(
  { journal, channels }: Pick<Engine, 'journal' | 'channels'>,
  { id, set, message, newId }: Pick<z.output<typeof editing>, 'id' | 'set' | 'message' | 'newId'>,
): Promise<Edited> {
  const exchange = exchangeOf(id) ?? 0;
  const stored = await journal.read(exchange);
  const first = stored?.entries.find(({ kind }) => kind === 'received' || kind === 'broken');
  if (!stored || !first)
    throw new Refusal(404, `there is no message ${id}`, 'gatehouse message list');
  const charset = channels.get(stored.channel)?.loaded.charset;
  const bytes = message === undefined ? first.body : Buffer.from(message, 'base64');
  const after = readable(bytes ?? new Uint8Array(), charset);
  if (!after) {
    throw new Refusal(
      400,
      message === undefined
        ? 'the stored bytes are no HL7 v2 message'
        : 'the file holds no HL7 v2 message',
      'give the whole message with --file',
    );
  }
  for (const { path, value } of set) change(after, path, value);
  if (newId) change(after, 'MSH-10', exchangeName(journal.mint()));
  const before = first.body && readable(first.body, charset);
  const found = before ? differences(before, after) : [{ at: 'the whole message' }];
  if (found.length === 0) {
    throw new Refusal(
      409,
      'nothing is changed',
      `gatehouse message replay ${id} sends it as it is`,
    );
  }
  return { bytes: after.toBytes(), differences: found };
}

function change(message: Message, path: string, value: string): void {
  try {
    message.setRaw(path, value);
  } catch (error) {
    // Errors of places name the place and why; what was to be set is not quoted.
    throw new Refusal(400, (error as Error).message);
  }
}

function readable(bytes: Uint8Array, charset: CharsetName | undefined): Message | undefined {
  try {
    return parseMessage(bytes, { charset });
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}
