/** The organisations of a site, as the simulated Spine knows them. */
import type { LoadedChannel } from '../config/site.ts';
import type { Consumer } from '../simulator/facts.ts';

/** Each organisation that may ask on one of these channels under an ASID of its own. */
export function consumersOf(channels: readonly Pick<LoadedChannel, 'channel'>[]): Consumer[] {
  return channels
    .flatMap(({ channel }) => channel.organisations)
    .flatMap(({ ods, asid }) => (asid === undefined ? [] : [{ ods, asid }]));
}
