/** `gatehouse doctor`: whether everything around the engine is as it should be. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { engineIn } from '../../engine/control/client.ts';
import { Refusal } from '../../engine/control/refusal.ts';
import { missingSecrets } from '../../engine/config/secrets.ts';
import { type Site, loadSite } from '../../engine/config/site.ts';
import { certificatesOf } from '../../engine/watch/certificates.ts';
import type { Status } from '../../engine/watch/status.ts';
import { age } from '../../engine/watch/words.ts';
import { asItsUser, isAnothers } from './anothers.ts';
import { type Check, sound, wrong } from './doctor/check.ts';
import { ofJournal } from './doctor/journal.ts';
import { ofClock, ofDisk, ofFiles, ofNode } from './doctor/machine.ts';
import { ofNetwork } from './doctor/network.ts';
import { ofPorts } from './doctor/ports.ts';
import { tellChecks } from './doctor/tell.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { say } from './output.ts';
import { siteFolder } from './site-folder.ts';

interface DoctorOptions {
  site?: string;
  data: string;
  keyFile?: string;
  network?: boolean;
  output: Form;
}

/** Look at everything, and tell of each thing in a line. @returns 6 where anything is wrong */
export async function doctor(options: DoctorOptions): Promise<number> {
  const folder = resolve(options.data);
  const root = siteFolder(options.site);
  const site = loadSite(root);
  const engine = await engineOn(folder);
  const { checks, newest } = await ofJournal(folder, options.keyFile);
  const rows: Check[] = [
    ...ofNode(),
    ofSite(root, site),
    ofEngine(engine, folder),
    ...checks,
    await ofDisk(nearest(folder), site.settings.alerts.disk),
    ofFiles(site, engine?.engine.pid),
    ofClock(newest),
    ...(await ofPorts(site, engine?.engine.pid)),
    // An engine that runs has them, and another user may well not.
    ...(engine ? [] : secrets(site)),
    ...certificates(site, engine),
    ...(options.network ? await ofNetwork(site) : []),
  ];
  printRows(options.output, { kind: 'doctor', key: 'checks', rows }, () => tellChecks(rows));
  const bad = rows.filter(({ ok }) => !ok).length;
  if (bad === 0) say('all is well');
  else
    say(bad === 1 ? '1 thing is not as it should be' : `${bad} things are not as they should be`);
  return bad === 0 ? exits.ok : exits.findings;
}

/** The engine that runs on this journal; undefined where none does, or it belongs to somebody else. */
async function engineOn(folder: string): Promise<Status | undefined> {
  try {
    return await engineIn(folder).get<Status>('/v1/status');
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function ofEngine(status: Status | undefined, folder: string): Check {
  if (!status) {
    return isAnothers(folder)
      ? wrong('engine', 'whether one runs on this journal is not known', asItsUser)
      : sound('engine', 'none runs on this journal');
  }
  const { engine, alerts } = status;
  const says = `version ${engine.version}, revision ${engine.revision}, pid ${engine.pid}`;
  if (alerts.length === 0) return sound('engine', says);
  const conditions = alerts.length === 1 ? '1 condition holds' : `${alerts.length} conditions hold`;
  return wrong('engine', `${says}: ${conditions}`, 'gatehouse status');
}

function ofSite(root: string, { findings, channels, revision }: Site): Check {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) {
    return sound('site', `${root}: ${channels.length} channels, revision ${revision}`);
  }
  return wrong(
    'site',
    `${root} has ${errors === 1 ? '1 error' : `${errors} errors`}`,
    'gatehouse check',
  );
}

/** The secrets that an engine started here would not find. */
function secrets({ channels }: Site): Check[] {
  const next = 'set it for the user that runs Gatehouse, and call this as that user';
  return missingSecrets(channels, process.env).map(({ where, says }) =>
    wrong(`secret ${where}`, says, next),
  );
}

/** The certificates the site names, and those that peers of a running engine show. */
function certificates({ channels, settings }: Site, engine: Status | undefined): Check[] {
  const own = channels.flatMap(certificatesOf);
  const known = new Set(own.map(({ subject }) => subject));
  const peers = (engine?.certificates ?? []).filter(({ subject }) => !known.has(subject));
  const now = Date.now();
  return [...own, ...peers].map(({ subject, until }) => {
    const check = `certificate ${subject}`;
    const next = 'renew it, then: gatehouse cert rotate';
    if (until === null) return wrong(check, 'cannot be read', 'gatehouse cert list');
    const day = new Date(until).toISOString().slice(0, 10);
    if (until <= now) return wrong(check, `ended ${age(now - until)} ago, on ${day}`, next);
    const says = `ends in ${age(until - now)}, on ${day}`;
    return until - now < settings.alerts.certificates
      ? wrong(check, says, next)
      : sound(check, says);
  });
}

/** The folder, or the nearest one above it that is there. */
const nearest = (folder: string): string =>
  existsSync(folder) ? folder : nearest(dirname(folder));
