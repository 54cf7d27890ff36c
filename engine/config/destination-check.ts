/**
 * What the schema of a channel cannot say of its destinations: that an address is one and is not
 * asked in the clear, and that the key which proves who we are can be used, and by nobody else.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import type { Channel, Destination } from '../channel.ts';
import type { Practices } from '../gp/practices.ts';
import { readSigningKey } from '../gp/signing-key.ts';
import { type Surroundings, isSecretReference, resolveText } from './values.ts';
import type { Finding, YamlFile } from './yaml.ts';

type Tell = (path: PropertyKey[], says: string, next?: string) => void;

/**
 * The findings on a channel's destinations.
 * @param file of the channel; a private key is named relative to it
 * @param practices its practice table, where it could be read
 * @param env where `${env:NAME}` is looked up
 */
export function checkDestinations(
  channel: Channel,
  source: YamlFile,
  file: string,
  practices: Practices | undefined,
  env: Surroundings,
): Finding[] {
  const findings: Finding[] = [];
  const teller =
    (severity: Finding['severity']): Tell =>
    (path, says, next) =>
      void findings.push({ severity, where: source.where(path), says, next });
  const error = teller('error');
  const warning = teller('warning');

  for (const [name, destination] of Object.entries(channel.destinations)) {
    const at = ['destinations', name];
    for (const [path, url] of addressesOf(destination)) {
      if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
        error([...at, ...path], 'an http or https address is needed');
      } else if (isInTheClear(url)) {
        const next = 'use https; plain http is for a simulator on this machine';
        warning([...at, ...path], 'this address is asked in the clear (http)', next);
      }
    }
    if (destination.kind !== 'pds' || !destination.signed) continue;
    if (destination.apikey) {
      error([...at, 'apikey'], 'signed access has an API key of its own', 'remove one of the two');
    }
    const key = [...at, 'signed', 'privateKey'];
    checkKey(destination.signed.privateKey, file, env, (says, next) => error(key, says, next));
  }
  const record = channel.ask.record ? channel.destinations[channel.ask.record] : undefined;
  if (record?.kind === 'gpconnect' && !record.proxy) {
    const clear = [...(practices?.values() ?? [])].filter(
      ({ kind, address }) => kind === 'gpconnect' && address !== '' && isInTheClear(address),
    );
    for (const { ods } of clear.slice(0, 1)) {
      const others = clear.length > 1 ? ` and ${clear.length - 1} others are` : ' is';
      const says = `practice ${ods}${others} asked in the clear (http)`;
      warning(['ask', 'practices'], says, 'give it an https address, or name a proxy');
    }
  }
  return findings;
}

function addressesOf(destination: Destination): [PropertyKey[], string][] {
  switch (destination.kind) {
    case 'pds': {
      const { url, signed } = destination;
      return [[['url'], url], ...(signed ? [token(signed.token)] : [])];
    }
    case 'sds':
    case 'cdg':
      return [[['url'], destination.url]];
    case 'gpconnect':
      return destination.proxy ? [[['proxy'], destination.proxy]] : [];
    case 'mllp':
    case 'feed':
      return [];
  }
}

const token = (url: string): [PropertyKey[], string] => [['signed', 'token'], url];

/** Plain http to another machine than this one. */
function isInTheClear(address: string): boolean {
  const url = URL.parse(address);
  const loopback = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;
  return url?.protocol === 'http:' && !loopback.test(url.hostname);
}

/** A key that only the environment of the engine will hold is left for the engine to look at. */
function checkKey(
  named: string,
  file: string,
  env: Surroundings,
  tell: (says: string, next?: string) => void,
): void {
  let pem: string;
  try {
    pem = isSecretReference(named) ? resolveText(named, env) : ownFile(named, file, tell);
  } catch {
    if (!isSecretReference(named)) tell(`the file ${named} cannot be read`);
    return;
  }
  try {
    readSigningKey(pem);
  } catch (error) {
    tell((error as Error).message, 'openssl genrsa 4096 makes one; register its public key');
  }
}

function ownFile(named: string, channelFile: string, tell: (says: string, next: string) => void) {
  const path = resolvePath(dirname(channelFile), named);
  if ((statSync(path).mode & 0o077) !== 0) {
    tell(
      `the file ${named} can be read by others than its owner`,
      `chmod 600 it; if others may have read it, register a new key`,
    );
  }
  return readFileSync(path, 'utf8');
}
