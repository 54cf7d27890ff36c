/** `gatehouse cert rotate`: a new certificate in the place of one in use, without dropping a connection. */
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { engineIn } from '../../engine/control/client.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import type { Site } from '../../engine/config/site.ts';
import { replaceFile } from '../../engine/journal/durable-file.ts';
import type { Status } from '../../engine/watch/status.ts';
import {
  type CertificateFile,
  certificateNamed,
  certificatesIn,
  checkCertificate,
} from './certificates.ts';
import { type Check, sound, wrong } from './doctor/check.ts';
import { tellChecks } from './doctor/tell.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { CommandError, say } from './output.ts';
import { confirm, whoAsks } from './person.ts';
import { soundSite } from './sites.ts';

interface RotateOptions {
  site?: string;
  data: string;
  from: string;
  key?: string;
  otherNames?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
  output: Form;
}

/**
 * Verify the new certificate, put it in the place of the old one, which is kept as `.previous`, and
 * have the running engine read it. Where the engine does not take it, the old one is put back.
 * @returns 6 where the new one is not good: then nothing is changed
 */
export async function rotate(name: string, options: RotateOptions): Promise<number> {
  const site = soundSite(options.site);
  const old = certificateNamed(site, name);
  const rows = verified(old, options);
  const good = rows.every(({ ok }) => ok);
  printRows(options.output, { kind: 'certificateRotation', key: 'checks', rows }, () =>
    tellChecks(rows),
  );
  if (!good) {
    say('nothing was changed');
    return exits.findings;
  }
  const status = await engineOf(options.data);
  refuseOtherChanges(site, status);
  if (options.dryRun) {
    say(`${old.file} would be replaced${status ? ', and the engine would read it' : ''}`);
    return exits.ok;
  }
  await confirm(`${old.file} is to be replaced.`, options.yes);
  const [keyFile] = old.keys;
  const replaced: (() => void)[] = [];
  const putBack = () => replaced.forEach((back) => back());
  try {
    if (options.key !== undefined && keyFile) replaced.push(replace(keyFile, options.key, 0o600));
    replaced.push(replace(old.file, options.from, statSync(old.file).mode & 0o777));
  } catch (error) {
    putBack();
    throw error;
  }
  if (!status) {
    say(`installed; ${old.file}.previous is the old one. No engine runs: the next start uses it`);
    return exits.ok;
  }
  const body = {
    channel: old.users[0]?.split(' ')[0] ?? '',
    certificate: old.name,
    by: whoAsks(),
    reason: options.reason,
  };
  try {
    await runningEngine(options).post('/v1/certificates/reload', body);
  } catch (error) {
    putBack();
    say('the old one was put back');
    throw error;
  }
  say(`installed, and in use from now on; ${old.file}.previous is the old one`);
  return exits.ok;
}

/** Everything about the new one, and whether it can take the place of the old. */
function verified(old: CertificateFile, { from, key, otherNames }: RotateOptions): Check[] {
  if (old.kind === 'authorities' && key !== undefined) {
    throw new CommandError(`${old.name} holds authorities, which have no key here`);
  }
  if (old.keys.length > 1) {
    throw new CommandError(
      `${old.name} is used with different keys: ${old.keys.join(', ')}`,
      'name the same key in each channel, or use a file of its own for each',
    );
  }
  const rows = checkCertificate({ file: from, kind: old.kind, key: key ?? old.keys[0], soonMs: 0 });
  if (old.kind === 'authorities') return rows;
  const names = (file: string) => (certificatesIn(file)[0]?.subjectAltName ?? '').split(', ');
  const lost = names(old.file).filter((one) => one !== '' && !names(from).includes(one));
  if (lost.length === 0) rows.push(sound('names', 'all names of the old one are in the new one'));
  else if (otherNames) rows.push(sound('names', `no longer in it: ${lost.join(', ')}`));
  else
    rows.push(
      wrong('names', `no longer in it: ${lost.join(', ')}`, 'mend it, or add --other-names'),
    );
  return rows;
}

/** The engine reads all of its configuration: what else was changed would come with it. */
function refuseOtherChanges(site: Site, status: Status | undefined): void {
  if (!status || status.engine.revision === site.revision) return;
  throw new CommandError(
    `the engine runs revision ${status.engine.revision}, and the files are ${site.revision}: other changes would be taken over as well`,
    'gatehouse config apply',
    exits.failed,
  );
}

async function engineOf(data: string): Promise<Status | undefined> {
  try {
    return await engineIn(data).get<Status>('/v1/status');
  } catch (error) {
    if (error instanceof Refusal && error.status === 503) return undefined;
    throw error;
  }
}

/**
 * Put a copy of a file in the place of another, whole or not at all; what was there is kept.
 * @returns puts it back
 */
function replace(file: string, by: string, mode: number): () => void {
  const before = readFileSync(file);
  const beforeMode = statSync(file).mode & 0o777;
  if (existsSync(file)) copyFileSync(file, `${file}.previous`);
  replaceFile(file, readFileSync(by), mode);
  return () => replaceFile(file, before, beforeMode);
}
