/** `gatehouse cert list|check`: certificates in use, and whether a pair is good. */
import { relative } from 'node:path';
import { engineIn } from '../../engine/control/client.ts';
import { ConfigError } from '../../engine/config/findings.ts';
import { loadSite } from '../../engine/config/site.ts';
import { endOf } from '../../engine/watch/certificates.ts';
import type { Status } from '../../engine/watch/status.ts';
import { age } from '../../engine/watch/words.ts';
import { certificateFiles, certificatesIn, checkCertificate, nameOf } from './certificates.ts';
import type { Check } from './doctor/check.ts';
import { tellChecks } from './doctor/tell.ts';
import { exits } from './exits.ts';
import { type Form, printListing, printRows } from './form.ts';
import { say } from './output.ts';
import { siteFolder } from './site-folder.ts';

interface ListOptions {
  site?: string;
  data: string;
  output: Form;
}

/** One certificate in use. */
interface Row {
  name: string;
  subject: string | null;
  issuer: string | null;
  /** Last day, ISO 8601. */
  until: string | null;
  days: number | null;
  /** Who uses it; `client` of a peer that is connected now. */
  users: string[];
  file: string | null;
  key: string | null;
}

/** List the certificates of a site, and those that peers of its engine show. @returns 6 where one ends soon */
export async function list(options: ListOptions): Promise<number> {
  const site = loadSite(siteFolder(options.site));
  if (site.revision === '') throw new ConfigError(site.findings);
  const rows = certificateFiles(site).map(({ name, file, kind, users, keys }): Row => {
    const end = endOf(file, kind);
    const [own] = end === null ? [] : certificatesIn(file);
    return {
      ...{ name, users },
      subject: own ? nameOf(own.subject) : null,
      issuer: own ? nameOf(own.issuer) : null,
      ...lasting(end),
      file: relative(process.cwd(), file),
      key: keys[0] === undefined ? null : relative(process.cwd(), keys[0]),
    };
  });
  for (const { subject, until } of await peersOf(options.data, rows)) {
    const [users, name = ''] = [[subject], subject.split(' client ')[1]];
    rows.push({
      name,
      subject: name,
      issuer: null,
      ...lasting(until),
      users,
      file: null,
      key: null,
    });
  }
  printListing(options.output, {
    kind: 'certificates',
    key: 'certificates',
    rows,
    columns: [
      { title: 'NAME', cell: (row) => row.name },
      { title: 'SUBJECT', cell: (row) => row.subject },
      { title: 'ENDS', cell: (row) => row.until?.slice(0, 10) ?? 'cannot be read' },
      { title: 'DAYS', cell: (row) => row.days },
      { title: 'USED BY', cell: (row) => row.users.join(', ') },
      { title: 'ISSUER', cell: (row) => row.issuer, wide: true },
      { title: 'FILE', cell: (row) => row.file, wide: true },
      { title: 'KEY', cell: (row) => row.key, wide: true },
    ],
  });
  if (rows.length === 0) say('no channel uses a certificate');
  const soon = site.settings.alerts.certificates / 86_400_000;
  const ending = rows.filter(({ days }) => days === null || days < soon);
  if (ending.length === 0) return exits.ok;
  say(`${ending.length} to renew: ${ending.map(({ name }) => name).join(', ')}`);
  return exits.findings;
}

function lasting(until: number | null): Pick<Row, 'until' | 'days'> {
  if (until === null) return { until: null, days: null };
  const days = Math.floor((until - Date.now()) / 86_400_000);
  return { until: new Date(until).toISOString(), days };
}

/** What connected peers show, where an engine runs. */
async function peersOf(data: string, own: readonly Row[]): Promise<Status['certificates']> {
  const known = new Set(own.flatMap(({ users }) => users));
  const status = await engineIn(data)
    .get<Status>('/v1/status')
    .catch(() => undefined);
  return (status?.certificates ?? []).filter(({ subject }) => !known.has(subject));
}

interface CheckOptions {
  key?: string;
  authorities?: string;
  host?: string;
  output: Form;
}

/** Told of so long before the end, where no site says otherwise. */
const soonMs = 30 * 86_400_000;

/** Check a PEM file, with its key. @returns 6 where anything is wrong */
export async function check(file: string, options: CheckOptions): Promise<number> {
  const { key, authorities, host } = options;
  const rows: Check[] = checkCertificate({ file, key, authorities, host, soonMs });
  printRows(options.output, { kind: 'certificateCheck', key: 'checks', rows }, () =>
    tellChecks(rows),
  );
  const [own] = certificatesIn(file);
  if (own) say(`${nameOf(own.subject)}, valid for ${age(own.validToDate.getTime() - Date.now())}`);
  return rows.every(({ ok }) => ok) ? exits.ok : exits.findings;
}
