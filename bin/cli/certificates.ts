/** The certificate files of a site: which there are, who uses each, and what is wrong with one. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { filesNamed } from '../../engine/config/files.ts';
import type { Site } from '../../engine/config/site.ts';
import { nearest } from '../../engine/config/yaml.ts';
import { age } from '../../engine/watch/words.ts';
import { type Check, sound, wrong } from './doctor/check.ts';
import { exits } from './exits.ts';
import { readInput } from './input.ts';
import { CommandError } from './output.ts';

/** One PEM file that channels name. */
export interface CertificateFile {
  /** By which people name it: the file's name without its end, or its path where two have that. */
  name: string;
  file: string;
  /** A chain of ours, with a key; or authorities that we trust. */
  kind: 'chain' | 'authorities';
  /** Where it stands: `adt-feed listen.tls.certificate`. */
  users: string[];
  /** The private keys that stand beside it. */
  keys: string[];
}

const kinds: Readonly<Record<string, CertificateFile['kind']>> = {
  certificate: 'chain',
  clients: 'authorities',
  authorities: 'authorities',
};

/** The certificate files that the channels of a site name. */
export function certificateFiles({ root, channels }: Site): CertificateFile[] {
  const found = new Map<string, CertificateFile>();
  for (const { channel, file } of channels) {
    const all = [...filesNamed(channel)];
    for (const [path, named] of all) {
      const kind = kinds[String(path.at(-1))];
      if (!kind) continue;
      const at = resolve(dirname(file), named);
      const one = found.get(at) ?? { name: '', file: at, kind, users: [], keys: [] };
      found.set(at, one);
      const place = path.map(String).join('.');
      one.users.push(`${channel.channel} ${place}`);
      const beside = place.replace(/certificate$/, 'key');
      const key = all.find(([other]) => other.map(String).join('.') === beside)?.[1];
      const keyFile = key && kind === 'chain' ? resolve(dirname(file), key) : undefined;
      if (keyFile && !one.keys.includes(keyFile)) one.keys.push(keyFile);
    }
  }
  const files = [...found.values()];
  const stem = ({ file }: CertificateFile) => basename(file, extname(file));
  for (const one of files) {
    const alone = files.filter((other) => stem(other) === stem(one)).length === 1;
    one.name = alone ? stem(one) : relative(root, one.file);
  }
  return files;
}

/** One of them by its name or path. @throws CommandError exit 3 */
export function certificateNamed(site: Site, name: string): CertificateFile {
  const all = certificateFiles(site);
  const found = all.find((one) => one.name === name || one.file === resolve(name));
  if (found) return found;
  const near = nearest(
    name,
    all.map((one) => one.name),
  );
  throw new CommandError(
    `no channel uses a certificate "${name}"${near ? `; did you mean "${near}"?` : ''}`,
    'gatehouse cert list',
    exits.notFound,
  );
}

/** The certificates of a PEM file, in their order. @throws CommandError where there is none */
export function certificatesIn(file: string): X509Certificate[] {
  const pems = readInput(file)
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!pems) {
    throw new CommandError(
      `${file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`,
      'openssl x509 -inform der -in FILE -out NEW.pem',
      exits.failed,
    );
  }
  try {
    return pems.map((pem) => new X509Certificate(pem));
  } catch {
    throw new CommandError(`${file}: a certificate in it cannot be read`, undefined, exits.failed);
  }
}

export interface ToCheck {
  file: string;
  kind?: CertificateFile['kind'];
  /** The private key that is to fit. */
  key?: string;
  /** PEM file of authorities that are to have issued it. */
  authorities?: string;
  /** A name that it is to hold. */
  host?: string;
  /** So long before its end it is told of, milliseconds. */
  soonMs: number;
}

/** Everything there is to check of a PEM file: dates, chain, key, names. */
export function checkCertificate(of: ToCheck): Check[] {
  const chain = certificatesIn(of.file);
  const [own] = chain as [X509Certificate, ...X509Certificate[]];
  const checks = chain.map((one) => datesOf(one, of.soonMs));
  if (of.kind === 'authorities') return checks;
  checks.push(orderOf(chain));
  if (of.key !== undefined) checks.push(...keyOf(own, of.key));
  if (of.authorities !== undefined) {
    const last = chain.at(-1) ?? own;
    const roots = certificatesIn(of.authorities);
    const issuer = roots.find((root) => isIssuedBy(last, root) || last.raw.equals(root.raw));
    checks.push(
      issuer
        ? sound('authority', `issued by ${nameOf(issuer.subject)}`)
        : wrong(
            'authority',
            `${of.authorities} holds none that issued it`,
            'append what lies between to the file',
          ),
    );
  }
  if (of.host !== undefined) {
    checks.push(
      own.checkHost(of.host) === undefined
        ? wrong('host', `it is not for ${of.host}`, `it is for ${own.subjectAltName ?? 'no host'}`)
        : sound('host', `it is for ${of.host}`),
    );
  }
  return checks;
}

/** The common name of a subject or issuer, else all of it. */
export function nameOf(text: string): string {
  return /^CN=(.*)$/m.exec(text)?.[1] ?? text.replaceAll('\n', ', ');
}

const isIssuedBy = (one: X509Certificate, by: X509Certificate): boolean =>
  one.checkIssued(by) && one.verify(by.publicKey);

function datesOf(one: X509Certificate, soonMs: number): Check {
  const [from, until, now] = [one.validFromDate.getTime(), one.validToDate.getTime(), Date.now()];
  const check = `dates of ${nameOf(one.subject)}`;
  const day = one.validToDate.toISOString().slice(0, 10);
  if (from > now) return wrong(check, `it is not valid for ${age(from - now)} yet`, 'wait');
  if (until <= now) return wrong(check, `ended ${age(now - until)} ago, on ${day}`, 'renew it');
  const says = `ends in ${age(until - now)}, on ${day}`;
  return until - now < soonMs ? wrong(check, says, 'renew it') : sound(check, says);
}

/** Each is to be issued by the next (RFC 8446 §4.4.2). */
function orderOf(chain: X509Certificate[]): Check {
  for (const [index, one] of chain.entries()) {
    const next = chain[index + 1];
    if (!next || isIssuedBy(one, next)) continue;
    const says = `${nameOf(one.subject)} was not issued by ${nameOf(next.subject)}, which follows it`;
    return wrong('chain', says, 'put each certificate before the one that issued it');
  }
  return sound('chain', chain.map(({ subject }) => nameOf(subject)).join(' ← '));
}

function keyOf(own: X509Certificate, file: string): Check[] {
  const mode = statSync(file).mode & 0o777;
  const exposed = process.platform !== 'win32' && (mode & 0o077) !== 0;
  const says = `${file} has mode 0${mode.toString(8)}`;
  const checks = [
    exposed ? wrong('key mode', says, `chmod 0600 ${file}`) : sound('key mode', says),
  ];
  try {
    const key = createPrivateKey(readInput(file));
    checks.push(
      own.checkPrivateKey(key)
        ? sound('key', `${file} fits the certificate`)
        : wrong('key', `${file} is the key of another certificate`, 'name the right one: --key'),
    );
  } catch {
    checks.push(
      wrong('key', `${file} holds no key that can be read without a password`, 'openssl pkey'),
    );
  }
  return checks;
}
