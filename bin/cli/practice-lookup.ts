/** `gatehouse practice lookup`: where a practice is asked, and where a patient is registered. */
import { readFileSync } from 'node:fs';
import type { LoadedChannel } from '../../engine/config/site.ts';
import { tableOf } from '../../engine/config/practice-check.ts';
import { shortPath } from '../../engine/config/yaml.ts';
import { nhsNumberValid } from '../../engine/hl7/nhs-number.ts';
import type { KnownPractice } from '../../engine/journal/journal.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { withJournal } from './journals.ts';
import { CommandError, print } from './output.ts';
import { soundSite } from './sites.ts';

interface LookupOptions {
  site?: string;
  channel?: string;
  data: string;
  keyFile?: string;
  output: Form;
}

/** How one channel finds where to ask. */
interface Asked {
  channel: string;
  /** `file:line` of the table, or what is asked in its place. */
  from: string;
  listed: boolean;
  name?: string;
  commissioner?: string;
  kind?: string;
  destination?: string;
  address?: string;
  asid?: string;
}

/** Look up. @returns 3 where no channel can say, or no message said where the patient is registered */
export async function lookup(code: string, options: LookupOptions): Promise<number> {
  const asked = (code === '-' ? readFileSync(0, 'utf8') : code).trim();
  const number = asked.replace(/[ -]/g, '');
  const channels = soundSite(options.site).channels.filter(
    ({ channel: { channel, ask } }) =>
      (ask.record ?? ask.locate ?? ask.practices) !== undefined &&
      (options.channel === undefined || channel === options.channel),
  );
  if (/^\d{10}$/.test(number)) return ofPatient(number, channels, options);
  if (!/^[A-Za-z0-9]{3,10}$/.test(asked)) {
    // It may be a mistyped NHS number, so it is not repeated.
    throw new CommandError(
      'this is neither an ODS code nor an NHS number of ten digits',
      'gatehouse practice lookup A81001, or an NHS number on standard input of gatehouse practice lookup -',
    );
  }
  const ods = asked.toUpperCase();
  const found = channels.map((channel) => askedBy(channel, ods));
  printOne(options.output, 'practice', { ods, asked: found }, () => tell(ods, found));
  return found.some(({ listed }) => listed) ? exits.ok : exits.notFound;
}

async function ofPatient(
  number: string,
  channels: LoadedChannel[],
  options: LookupOptions,
): Promise<number> {
  if (!nhsNumberValid(number)) {
    throw new CommandError('the NHS number fails its check digit (modulus 11)', 'look at it again');
  }
  const known = await withJournal(options, (journal) => journal.practiceOf(number));
  const found = known ? channels.map((channel) => askedBy(channel, known.practice)) : [];
  const value = {
    practice: known?.practice ?? null,
    from: known && sourceOf(known),
    at: known && timeOf(known),
    merged: known?.merged ?? false,
    asked: found,
  };
  printOne(options.output, 'patientPractice', value, () => {
    if (!known) return print('the patient index names no practice for this patient');
    const merged = known.merged ? ', for the patient this number was merged into' : '';
    print(`${known.practice}  from ${sourceOf(known)} of ${timeOf(known)}${merged}`);
    tell(known.practice, found);
  });
  return known ? exits.ok : exits.notFound;
}

const sourceNames = { adt: 'ADT', list: 'a list of patients', pds: 'PDS' } as const;
const sourceOf = ({ source }: KnownPractice): string => sourceNames[source ?? 'adt'];

/** A list has days, ADT and PDS have moments. */
const timeOf = ({ at, source }: KnownPractice): string =>
  new Date(at / 1000).toISOString().slice(0, source === 'list' ? 10 : undefined);

function askedBy(loaded: LoadedChannel, ods: string): Asked {
  const { channel, practices, file } = loaded;
  const { ask } = channel;
  const row = practices?.get(ods.toUpperCase());
  const directory = ask.locate ? `directory (${ask.locate})` : (ask.record ?? 'nothing');
  const base = { channel: channel.channel };
  if (!row) {
    const isRefused = practices !== undefined && (ask.unlisted === 'refuse' || !ask.record);
    const from = isRefused ? 'not in the table: GH-4007' : `${directory}: not in a table`;
    return { ...base, from, listed: false };
  }
  const from = `${shortPath(tableOf(channel, file) ?? '')}:${row.line}`;
  const { name, commissioner, kind, address, asid } = row;
  const destination = row.destination || ask.record;
  return { ...base, from, listed: true, name, commissioner, kind, destination, address, asid };
}

function tell(ods: string, found: readonly Asked[]): void {
  if (found.length === 0) print('no channel asks practices');
  for (const { channel, from, listed, name, commissioner, kind, ...to } of found) {
    if (!listed) {
      print(`${channel}: ${ods} \u2192 ${from}`);
      continue;
    }
    const whose = commissioner ? `, commissioned by ${commissioner}` : '';
    const address = kind === 'gpconnect' ? ` ${to.address || '(address from the directory)'}` : '';
    print(
      `${channel}: ${ods} ${name ?? ''}${whose} \u2192 ${to.destination} (${kind})${address}  (${from})`,
    );
  }
}
