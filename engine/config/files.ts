/** The files a channel's own file names. */
import { dirname, resolve } from 'node:path';
import type { Channel } from '../channel.ts';
import { deliveryFiles } from './delivery-check.ts';
import { isSecretReference } from './values.ts';

/** The files a channel names, with the places where it does. */
export function* filesNamed(channel: Channel): Generator<[PropertyKey[], string]> {
  if (channel.ask.practices) yield [['ask', 'practices'], channel.ask.practices];
  const { tls } = channel.listen;
  for (const key of ['certificate', 'key', 'clients'] as const) {
    if (tls?.[key]) yield [['listen', 'tls', key], tls[key]];
  }
  for (const [name, { tls: client }] of Object.entries(channel.destinations)) {
    for (const key of ['certificate', 'key', 'authorities'] as const) {
      if (client?.[key]) yield [['destinations', name, 'tls', key], client[key]];
    }
  }
  yield* deliveryFiles(channel);
}

/** The paths of everything a channel reads beside its own file, its keys among them. */
export function filesOf({ channel, file }: { channel: Channel; file: string }): string[] {
  const keys = Object.values(channel.destinations).flatMap((one) =>
    'signed' in one && one.signed && !isSecretReference(one.signed.privateKey)
      ? [one.signed.privateKey]
      : [],
  );
  const named = Array.from(filesNamed(channel), ([, name]) => name);
  return [...named, ...keys].map((name) => resolve(dirname(file), name));
}
