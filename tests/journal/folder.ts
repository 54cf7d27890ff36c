/** A journal's folder for one test, and the events told while it is open. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emit, EventFields, EventName } from '../../engine/events.ts';
import type { Entry, Journal, Keys } from '../../engine/journal/journal.ts';

export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-journal-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function recordEvents(): { emit: Emit; told: { name: EventName; fields: EventFields }[] } {
  const told: { name: EventName; fields: EventFields }[] = [];
  return { told, emit: (name, fields = {}) => void told.push({ name, fields }) };
}

/** Append one message as a channel receives it; its id. */
export async function receive(journal: Journal, text: string, keys: Keys = {}): Promise<number> {
  const id = journal.mint();
  const entries: Entry[] = [{ kind: 'received', at: id, body: Buffer.from(text) }];
  await journal.append(id, 'adt-feed', entries, { state: 'received', ...keys });
  return id;
}

/** The code of the fault that a promise rejects with. */
export async function faultOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && 'fault' in error) return (error.fault as { name: string }).name;
    throw error;
  }
  return 'none';
}
