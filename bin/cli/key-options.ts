/** What the commands about keys are told, and which key file that means. */
import { resolve } from 'node:path';
import { filesOf } from '../../engine/journal/database.ts';
import type { Form } from './form.ts';
import type { JournalOptions } from './journals.ts';

export interface KeyOptions extends JournalOptions {
  output: Form;
}

/** Of those that change something. */
export interface ChangeOptions extends KeyOptions {
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
}

/** The key file: the one that is named, else that of the journal's folder. */
export const keyFileOf = ({ data, keyFile }: JournalOptions) =>
  keyFile ?? filesOf(resolve(data)).key;
