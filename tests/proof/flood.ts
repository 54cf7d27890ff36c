/** Peers that hold connections, fill them or never read: the good ones go on beside them. */
import { join } from 'node:path';
import { type Socket, connect } from 'node:net';
import { until } from './cell.ts';
import { judge } from './law.ts';
import type { Outcome, Part, Trial } from './part.ts';
import { startReceiver } from './receiver.ts';
import { adt } from './samples.ts';
import { createSenders } from './senders.ts';
import { startServer } from './server.ts';
import { channel, channels, delivery, writeSite } from './site.ts';

/** Acknowledgements the good peers have to be given beside each kind of bad ones. */
const beside = 1000;
const waitMs = 30_000;
const goodPeers = 8;

/** What so many bad peers do, again and again. */
const kinds: Record<string, { peers: number; act(socket: Socket, n: number): void }> = {
  'one byte at a time': { peers: 200, act: (socket, n) => socket.write(n === 0 ? '\x0b' : 'M') },
  'half open': {
    peers: 200,
    act: (socket, n) => void (n === 0 && socket.end('\x0bMSH|^~\\&|HALF')),
  },
  'never reading': { peers: 60, act: (socket) => socket.pause().write(`\x0bMSH|^~\\&|\r\x1c\r`) },
  'one connection after the other': { peers: 400, act: (socket) => socket.destroy() },
};

export const flood: Part = {
  name: 'flood',
  law: 'peers that hold connections, fill them or never read take nothing from the others: those are answered meanwhile, and new ones afterwards',
  minutes: 1,
  suite: 'proof',
  run: tried,
};

async function tried(trial: Trial): Promise<Outcome> {
  const { folder, imports } = trial;
  const [site, data] = [join(folder, 'site'), join(folder, 'data')];
  const receiver = await startReceiver();
  writeSite(site, { port: receiver.port });
  const server = await startServer({ site, data, imports }, channels);
  const port = server.ports[channel] ?? 0;
  const good = createSenders({ count: goodPeers, name: 'G', build: adt });
  const late = createSenders({ count: 1, name: 'L', build: adt });
  const broken: string[] = [];
  let peers = 0;
  try {
    good.start(port);
    for (const [kind, { peers: count, act }] of Object.entries(kinds)) {
      const wanted = good.acknowledged.size + trial.count(beside);
      const bad = crowd(port, count, act);
      const answered = await until(() => good.acknowledged.size >= wanted, waitMs);
      peers += bad.end();
      if (!answered) broken.push(`the others were not answered beside those of "${kind}"`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    late.start(port);
    const served = await until(() => late.acknowledged.size > 0, waitMs);
    if (!served) broken.push('a new peer was not served afterwards');
    await Promise.all([good.finish(), late.finish()]);
    const acknowledged = new Set([...good.acknowledged, ...late.acknowledged]);
    const arrived = (): boolean => receiver.accepted.size >= acknowledged.size;
    if (!(await until(arrived, waitMs))) broken.push('not everything was delivered');
    server.kill('SIGTERM');
    await server.ended;
    const senders = { acknowledged, wrong: [...good.wrong, ...late.wrong] };
    const judged = await judge({ senders, receiver, build: adt, data, channel, delivery });
    const tried = { 'bad connections': peers, 'good messages beside them': acknowledged.size };
    return { tried, found: judged.found, broken: [...broken, ...judged.broken] };
  } finally {
    good.cut();
    late.cut();
    server.kill();
    await receiver.close();
  }
}

/** Bad peers; each that is hung up on is followed by another. @returns how to end them, with their number */
function crowd(port: number, count: number, act: (socket: Socket, n: number) => void) {
  const sockets = new Set<Socket>();
  let opened = 0;
  let over = false;
  function open(): void {
    if (over) return;
    opened += 1;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.add(socket);
    let n = 0;
    let timer: NodeJS.Timeout | undefined;
    const again = (): void => void (socket.writable && act(socket, n++));
    socket.on('connect', () => {
      again();
      timer = setInterval(again, 100);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      sockets.delete(socket);
      setTimeout(open, 50);
    });
  }
  for (let n = 0; n < count; n++) open();
  return {
    end(): number {
      over = true;
      for (const socket of sockets) socket.destroy();
      return opened;
    },
  };
}
