/** Routes to look at the channels that run, and to pause, stop and start them. */
import { z } from 'zod';
import { nearest } from '../config/yaml.ts';
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import type { ObservedChannel } from '../watch/observed.ts';
import { person, recordAct } from './operator.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

/** A channel as it runs, for `gatehouse channel list` and `show`. */
export interface ChannelRow extends Omit<ObservedChannel, 'expects' | 'connections'> {
  connections: number;
  /** Of the configuration it runs under. */
  revision: string | null;
}

const hows = { pause: 'paused', stop: 'stopped' } as const;

/** The routes of `gatehouse channel`. */
export function channelRoutes(engine: Engine, emit: Emit): Route[] {
  const { channels, queues, holds, suspensions } = engine;
  const named = z.strictObject({ channel: z.string() });
  const acting = named.extend(person);

  /** Recorded first: what cannot be recorded is not done. */
  async function record(
    act: 'pause' | 'stop' | 'start',
    channel: string,
    by: string,
    reason?: string,
  ) {
    const exchange = await recordAct(engine, { act, to: channel, by, reason });
    emit('control.acted', { step: act, channel });
    return exchange;
  }

  /** Hold or resume what the channel delivers to, but for what a person holds anyway. */
  function steer(channel: string, how: 'hold' | 'resume'): void {
    for (const [to, queue] of queues) {
      if (!to.startsWith(`${channel}/`) || holds.get(to)) continue;
      if (how === 'hold' || queue.status().state === 'held') queue[how]();
    }
  }

  function known(channel: string): string {
    if (channels.has(channel)) return channel;
    const near = nearest(channel, [...channels.keys()]);
    const says = `no channel "${channel}" runs${near ? `; did you mean "${near}"?` : ''}`;
    throw new Refusal(404, says, 'gatehouse channel list');
  }

  const suspend = (act: 'pause' | 'stop') =>
    route('POST', `/v1/channel/${act}`, acting, async ({ channel: name, by, reason }) => {
      const channel = known(name);
      const before = suspensions.get(channel);
      const how = hows[act];
      if (before?.how === how) {
        const says = `${channel} is ${how} already, by ${before.by} since ${before.since}`;
        throw new Refusal(409, says, `gatehouse channel start ${channel}`);
      }
      const exchange = await record(act, channel, by, reason);
      const since = new Date().toISOString();
      suspensions.put(channel, { how, since, by, exchange });
      steer(channel, how === 'stopped' ? 'hold' : 'resume');
      await engine.relisten();
      return { body: { channel, exchange, state: how } };
    });

  return [
    route('GET', '/v1/channels', z.strictObject({}), async () => {
      const { seen } = await engine.watch.look();
      const rows = seen.channels.map(({ expects: _, connections, ...one }): ChannelRow => {
        const revision = channels.get(one.channel)?.loaded.revision ?? null;
        return { ...one, connections: connections.length, revision };
      });
      return { body: { channels: rows } };
    }),
    suspend('pause'),
    suspend('stop'),
    route('POST', '/v1/channel/start', acting, async ({ channel: name, by, reason }) => {
      const channel = known(name);
      const before = suspensions.get(channel);
      if (!before) {
        const says = `${channel} is neither paused nor stopped`;
        throw new Refusal(409, says, `gatehouse channel show ${channel}`);
      }
      suspensions.remove(channel);
      try {
        await engine.relisten();
      } catch (error) {
        // Another process has the port: it stays as it was.
        suspensions.put(channel, before);
        throw error;
      }
      const exchange = await record('start', channel, by, reason);
      steer(channel, 'resume');
      return { body: { channel, exchange, state: 'listening' } };
    }),
  ];
}
