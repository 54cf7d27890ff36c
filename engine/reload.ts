/** One configuration in the place of another while the engine runs, or an event that says why not. */
import type { Applied, Channels } from './channels.ts';
import type { Settings } from './config/settings.ts';
import type { Site } from './config/site.ts';
import { ConfigError } from './config/yaml.ts';
import type { Emit } from './events.ts';
import { FaultError, faults } from './faults.ts';

export interface ReloadParts {
  channels: Channels;
  /** Listens for health where the settings want it. */
  listen(settings: Settings): Promise<void>;
  emit: Emit;
}

/**
 * Take over the site that is read, the whole of it or nothing.
 * @throws ConfigError where it has errors, FaultError portBusy, Error that names a file or secret that
 *   is missing: what ran before runs on
 */
export async function changeTo(
  read: () => Site,
  { channels, listen, emit }: ReloadParts,
): Promise<Applied> {
  const before = channels.site();
  try {
    const next = read();
    await listen(next.settings);
    const applied = await channels.apply(next, 'refuse').catch(async (error: unknown) => {
      await listen(before.settings);
      throw error;
    });
    emit('config.applied', { revision: applied.revision });
    return applied;
  } catch (error) {
    emit('config.refused', { detail: reasonOf(error) });
    throw error;
  }
}

/** Why, in one line: of several findings the first. */
function reasonOf(error: unknown): string {
  if (error instanceof FaultError) {
    const { name, detail } = error.fault;
    return `${faults[name].code} ${detail ?? ''}`.trimEnd();
  }
  const [first] = error instanceof ConfigError ? error.findings : [];
  if (first) return `${first.where} ${first.says}`;
  return error instanceof Error ? error.message : typeof error;
}
