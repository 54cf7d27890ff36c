/** When the certificates a channel uses end: ours, and the authorities it trusts. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { filesNamed } from '../config/files.ts';
import type { LoadedChannel } from '../config/site.ts';
import type { ObservedCertificate } from './observed.ts';

/** Keys of a channel file that name certificates, and whether they name a chain or authorities. */
const kinds: Readonly<Record<string, 'chain' | 'authorities'>> = {
  certificate: 'chain',
  clients: 'authorities',
  authorities: 'authorities',
};

/** The certificates a channel names, as they are on the disk now. */
export function certificatesOf({ channel, file }: LoadedChannel): ObservedCertificate[] {
  const found: ObservedCertificate[] = [];
  for (const [path, name] of filesNamed(channel)) {
    const kind = kinds[String(path.at(-1))];
    if (!kind) continue;
    const subject = `${channel.channel} ${path.map(String).join('.')}`;
    found.push({ subject, until: endOf(resolve(dirname(file), name), kind) });
  }
  return found;
}

/**
 * The last moment of a PEM file. A chain ends with the first of its certificates that does, a list of
 * authorities with the last: such lists keep those that have ended.
 * @returns milliseconds since 1970; null where the file holds no certificate
 */
export function endOf(file: string, kind: 'chain' | 'authorities'): number | null {
  try {
    const pems = readFileSync(file, 'latin1').match(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    );
    const ends = (pems ?? []).map((pem) => new X509Certificate(pem).validToDate.getTime());
    if (ends.length === 0) return null;
    return kind === 'chain' ? Math.min(...ends) : Math.max(...ends);
  } catch {
    return null;
  }
}
