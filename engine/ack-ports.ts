/**
 * The ports to which destinations bring their application acknowledgements. Each is opened by the queue that
 * waits for them; whether it can be is asked before a configuration is taken.
 */
import type { LoadedChannel } from './config/site.ts';
import { FaultError } from './faults.ts';
import { canOpen } from './mllp/bind.ts';

/**
 * That the ports can be opened which these channels want and which are not open already.
 * @param running the channels whose ports are open
 * @param busy as for `Listeners.prepare`
 * @throws FaultError portBusy with `refuse`; what the operating system says of an address that cannot be
 *   used
 */
export async function assertAckPorts(
  wanted: Iterable<LoadedChannel>,
  running: Iterable<LoadedChannel>,
  busy: 'wait' | 'refuse',
): Promise<void> {
  const open = new Set(Array.from(running, addressesOf).flat());
  for (const address of Array.from(wanted, addressesOf).flat()) {
    if (open.has(address)) continue;
    const at = address.lastIndexOf(':');
    const isFree = await canOpen(address.slice(0, at), Number(address.slice(at + 1)));
    if (!isFree && busy === 'refuse') throw new FaultError({ name: 'portBusy', detail: address });
  }
}

/** Of one channel, as `host:port`. */
function addressesOf({ channel }: LoadedChannel): string[] {
  return channel.deliver.flatMap(({ to }) => {
    const destination = channel.destinations[to];
    if (destination?.kind !== 'feed') return [];
    const { host, port } = destination.applicationAcks;
    return port ? [`${host}:${port}`] : [];
  });
}
