/** Whether the secrets that a site names are to be had. */
import { dirname } from 'node:path';
import { readChannel } from './extends.ts';
import { type Finding } from './findings.ts';
import type { LoadedChannel } from './site.ts';
import { type Surroundings, isSecretReference, resolveText, strings } from './values.ts';

/** Read anew for each request: whoever keeps it fresh may come after the engine. */
const readLater: ReadonlySet<PropertyKey> = new Set(['accessToken']);

/**
 * The secrets that an engine reads as it starts with these channels, and that are not to be had where
 * it runs. `config check` leaves them: the person who checks may well not have them.
 * @returns findings that name the variable or the file, never what it holds
 */
export function missingSecrets(channels: readonly LoadedChannel[], env: Surroundings): Finding[] {
  return channels.flatMap(({ channel, file }) =>
    Array.from(strings(channel.destinations, ['destinations'])).flatMap(({ text, path }) => {
      const key = path.at(-1) ?? '';
      if (!isSecretReference(text) || readLater.has(key)) return [];
      try {
        resolveText(text, env);
        return [];
      } catch (error) {
        const where = readChannel(file, dirname(file)).where(path);
        const says = `"${String(key)}": ${(error as Error).message}`;
        return [{ severity: 'error', where, says, kind: 'unresolved' } as const];
      }
    }),
  );
}
