/**
 * The ports of a site. A port belongs to its address, not to a channel: where the address stays,
 * the port stays open and every connection with it, whatever else becomes of the channel.
 */
import { FaultError } from './faults.ts';
import type { Source, SourceOptions } from './mllp/listener.ts';
import type { Respond } from './mllp/mllp.ts';
import type { Running } from './running.ts';

/** Listening as another set of channels wants it, made ready. Nothing has changed yet. */
export interface Turn {
  /** Listen so from now on; cannot fail. @returns the listeners that nobody wants any more */
  take(): Source[];
  /** Close what was opened for it. */
  abandon(): Promise<void>;
}

export interface Listeners {
  /**
   * Make ready to listen for these channels, and for no others. Ports that are not open yet are
   * opened; whoever connects to one waits until the turn is taken.
   * @param busy what a port that another process holds means: `wait` and open it when it is free, or
   *   `refuse`
   * @throws FaultError portBusy with `refuse`; what the operating system says of an address that
   *   cannot be used; Error of certificates that cannot be
   */
  prepare(channels: Iterable<Running>, busy: 'wait' | 'refuse'): Promise<Turn>;
  /** The listener of a channel. */
  of(channel: string): Source | undefined;
  /** Stop all of them. @returns how many arrivals were cut off unanswered */
  stop(graceMs: number): Promise<number>;
}

interface Listener {
  source: Source;
  channel: string;
}

/** @param open makes a listener, closed at first */
export function createListeners(
  open: (options: SourceOptions, respond: Respond) => Source,
): Listeners {
  let listeners = new Map<string, Listener>();

  async function prepare(channels: Iterable<Running>, busy: 'wait' | 'refuse'): Promise<Turn> {
    const next = new Map<string, Listener>();
    const opened: Source[] = [];
    const turns: (() => void)[] = [];
    const closed = new FaultError({ name: 'shuttingDown' });
    let refuse = (_: Error): void => {};
    // A message that comes too early waits; nothing of it is stored under a configuration that may
    // not come to hold.
    const taken = new Promise<void>((resolve, reject) => {
      turns.push(resolve);
      refuse = reject;
    });
    taken.catch(() => {});
    const abandon = async () => {
      refuse(closed);
      await Promise.all(opened.map((source) => source.stop(0)));
    };
    try {
      for (const running of channels) {
        const { listening, respond } = running;
        const address = addressOf(listening);
        const known = listeners.get(address)?.source;
        const early: Respond = async (...arrived) => {
          await taken;
          return respond(...arrived);
        };
        const source = known ?? open(listening, early);
        next.set(address, { source, channel: listening.channel });
        turns.push(source.prepare(listening, respond));
        if (known) continue;
        opened.push(source);
        await source.listen();
        if (busy === 'refuse' && source.state() === 'waiting') {
          throw new FaultError({ name: 'portBusy', detail: `${listening.host}:${listening.port}` });
        }
      }
    } catch (error) {
      await abandon();
      throw error;
    }
    return {
      take() {
        const left = [...listeners].filter(([address]) => !next.has(address));
        listeners = next;
        for (const turn of turns) turn();
        return left.map(([, { source }]) => source);
      },
      abandon,
    };
  }

  return {
    prepare,
    of: (channel) => [...listeners.values()].find((one) => one.channel === channel)?.source,
    async stop(graceMs) {
      const all = [...listeners.values()].map(({ source }) => source.stop(graceMs));
      return (await Promise.all(all)).reduce((sum, left) => sum + left, 0);
    },
  };
}

/** Any free port is another one for each channel. */
function addressOf({ channel, host, port }: SourceOptions): string {
  return port === 0 ? `${host}:0 ${channel}` : `${host}:${port}`;
}
