/** What the doctor looks at of the network: whether what the site asks and delivers to can be reached. */
import { connect } from 'node:net';
import type { Site } from '../../../engine/config/site.ts';
import { type Check, sound, wrong } from './check.ts';

/** Longest wait for one connection, milliseconds. */
const patience = 5000;

/** Connect to each endpoint and hang up: nothing is sent, and nobody is asked. */
export async function ofNetwork({ channels }: Pick<Site, 'channels'>): Promise<Check[]> {
  const places = new Map<string, string[]>();
  for (const { channel } of channels) {
    for (const [name, one] of Object.entries(channel.destinations)) {
      const place = placeOf(one);
      if (place) places.set(place, [...(places.get(place) ?? []), `${channel.channel}/${name}`]);
    }
  }
  return Promise.all(
    Array.from(places, async ([place, users]) => {
      const at = place.lastIndexOf(':');
      const refused = await reach(place.slice(0, at), Number(place.slice(at + 1)));
      const check = `reach ${users.join(', ')}`;
      return refused === undefined
        ? sound(check, `${place} takes connections`)
        : wrong(check, `${place} cannot be reached (${refused})`, nextFor(refused, place));
    }),
  );
}

/** `host:port` of a destination; undefined where it is known only once it is looked up. */
function placeOf(one: Site['channels'][number]['channel']['destinations'][string]) {
  if ('host' in one) return `${one.host}:${one.port}`;
  const address = 'url' in one ? one.url : one.proxy;
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { hostname, port, protocol } = new URL(address);
  return `${hostname.replace(/^\[|\]$/g, '')}:${port || (protocol === 'http:' ? 80 : 443)}`;
}

/** @returns why it cannot be reached */
function reach(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: patience });
    const end = (why?: string) => {
      socket.destroy();
      done(why);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end(`no answer within ${patience / 1000} s`));
    socket.once('error', ({ code = 'failed' }: NodeJS.ErrnoException) => end(code));
  });
}

function nextFor(refused: string, place: string): string {
  const host = place.slice(0, place.lastIndexOf(':'));
  if (refused === 'ENOTFOUND' || refused === 'EAI_AGAIN') return `getent hosts ${host}`;
  if (refused === 'ECONNREFUSED') return 'ask its people: nothing listens there';
  return 'ask the network team whether a firewall lies between';
}
