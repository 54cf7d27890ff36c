/**
 * That the files of TLS which a channel names can be used: a key that is not that of its certificate would
 * be found by the first connection, and a file without any authority would have Node trust all of its own.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Channel } from '../channel.ts';
import { filesNamed } from './files.ts';

type Tell = (path: PropertyKey[], says: string, next?: string) => void;

/** The files of one `tls`, by its keys. */
type Named = Map<string, { name: string; text: string }>;

/**
 * Tell what cannot be used. A file that is missing is told of elsewhere; one that we may not read is left
 * for the engine.
 * @param file of the channel; files are named relative to it
 */
export function checkTls(channel: Channel, file: string, error: Tell): void {
  const named = Array.from(filesNamed(channel)).filter(([path]) => path.at(-2) === 'tls');
  const blocks = Map.groupBy(named, ([path]) => path.slice(0, -1).join('\0'));
  for (const block of blocks.values()) {
    const at = block[0]?.[0].slice(0, -1) ?? [];
    const files: Named = new Map();
    for (const [path, name] of block) {
      const text = textOf(resolvePath(dirname(file), name));
      if (text !== undefined) files.set(String(path.at(-1)), { name, text });
    }
    if (files.size === block.length)
      checkBlock(files, (key, ...told) => error([...at, key], ...told));
  }
}

function checkBlock(files: Named, tell: (key: string, says: string, next: string) => void): void {
  for (const key of ['clients', 'authorities']) {
    const one = files.get(key);
    if (!one || holdsCertificate(one.text)) continue;
    tell(
      key,
      `the file ${one.name} holds no certificate`,
      'put the authorities to trust into it, as PEM',
    );
    return;
  }
  const [certificate, key] = [files.get('certificate'), files.get('key')];
  if (!certificate || !key) return;
  try {
    createSecureContext({ cert: certificate.text, key: key.text });
  } catch (failed) {
    const why = (failed as Error).message.split(':').at(-1);
    const says = `${certificate.name} and ${key.name} cannot be used together: ${why}`;
    tell('certificate', says, 'gatehouse cert check says what is wrong with them');
  }
}

function holdsCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
