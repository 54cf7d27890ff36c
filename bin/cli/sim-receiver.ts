/** `gatehouse sim receiver`: a system that messages are delivered to. */
import { type TlsOptions, createSecureContext } from 'node:tls';
import { type AckCode } from '../../engine/hl7/ack.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { holding, readWhere } from '../../engine/hl7/where.ts';
import { FaultError, faults } from '../../engine/faults.ts';
import { secureOptions } from '../../engine/mllp/tls.ts';
import { type Reaction, type Received, startReceiver } from '../../engine/simulator/receiver.ts';
import { exits } from './exits.ts';
import { maskSegments, recordReveal } from './mask.ts';
import { connectTo, pemsOf, target } from './mllp.ts';
import { CommandError, print, say, style } from './output.ts';
import { stopped } from './stopped.ts';
import { atMost, portOf, whole } from './values.ts';

interface ReceiverOptions {
  port: string;
  answer: AckCode;
  delay?: string;
  silent?: boolean;
  close?: boolean;
  wrongId?: boolean;
  every?: string;
  for?: string[];
  content?: boolean;
  certificate?: string;
  key?: string;
  authorities?: string;
  acksTo?: string;
  acksTls?: boolean;
  limit?: string;
  reveal?: boolean;
  reason?: string;
  data: string;
  output: 'table' | 'ndjson';
}

/** Take messages until Ctrl-C, or until there were as many as were asked for. */
export async function receiver(options: ReceiverOptions): Promise<number> {
  const { reveal, reason = '' } = options;
  const react = reactionTo(options);
  const tls = tlsOf(options);
  const acks = options.acksTo === undefined ? undefined : acksTo(options.acksTo, options);
  const most = options.limit === undefined ? Infinity : atMost(options.limit);
  if (reveal) recordReveal(options.data, 'sim receiver', reason);
  const counts = new Map<string, number>();
  const enough = Promise.withResolvers<void>();
  let settled = 0;
  const asked = stopped();
  const port = portOf(options.port);
  const listening = await startReceiver({
    ...{ port, react, tls, apart: acks?.send },
    received(one) {
      const said = saidOf(one);
      counts.set(said, (counts.get(said) ?? 0) + 1);
      show(one, said, options);
    },
    settled: () => void (++settled >= most && enough.resolve()),
    refused: (why) => say(`no TLS came about: ${why}`),
    broken: (fault) => say(`${faults[fault].code}  ${faults[fault].says} Nothing was answered.`),
  }).catch((error: NodeJS.ErrnoException): never => {
    if (error.code !== 'EADDRINUSE') throw error;
    const next = 'another port: --port 0 takes a free one';
    throw new CommandError(`127.0.0.1:${port} is held by another process`, next, exits.failed);
  });
  say(`the receiver listens on 127.0.0.1:${listening.port}; Ctrl-C ends it`);
  await Promise.race([asked, enough.promise]);
  await listening.close();
  acks?.close();
  const count = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const each = Array.from(counts, ([said, n]) => `${n} ${said}`).join(', ');
  say(`${count} ${count === 1 ? 'message' : 'messages'} received${each && `: ${each}`}`);
  return exits.ok;
}

/** What it shows, and whom it trusts; nothing where it speaks no TLS. @throws CommandError */
function tlsOf(options: ReceiverOptions): TlsOptions | undefined {
  const { certificate, key, authorities, acksTls, acksTo: to } = options;
  if (acksTls && to === undefined) throw new CommandError('--acks-tls needs --acks-to');
  if (certificate === undefined && key === undefined) {
    if (authorities === undefined || acksTls) return undefined;
    throw new CommandError(
      '--authorities needs a certificate to show',
      'add --certificate and --key',
    );
  }
  if (certificate === undefined || key === undefined) {
    throw new CommandError('--certificate and --key belong together', 'name both');
  }
  const pems = pemsOf(options);
  try {
    createSecureContext(pems);
  } catch (error) {
    const says = `TLS cannot be spoken with ${certificate} and ${key} (${(error as Error).message})`;
    throw new CommandError(says, `gatehouse cert check ${certificate} --key ${key}`, exits.failed);
  }
  return { ...secureOptions(pems), requestCert: authorities !== undefined };
}

/** Brings application acknowledgements to where they are awaited. */
function acksTo(to: string, options: ReceiverOptions) {
  const there = connectTo(target(to), ackPatienceMs, options.acksTls ? options : undefined);
  const hangUp = new AbortController();
  return {
    async send(ack: Message): Promise<void> {
      const of = ack.raw('MSA-2') ?? '';
      try {
        const reply = await there.ask(ack.toBytes(), ack.get('MSH-10') ?? '', hangUp.signal);
        say(`${ack.raw('MSA-1')} of ${of} to ${to}: ${parseMessage(reply).raw('MSA-1')}`);
      } catch (error) {
        if (hangUp.signal.aborted) return;
        const { name, detail } = error instanceof FaultError ? error.fault : { name: undefined };
        const why =
          name === 'gpUnavailable' ? `cannot be reached (${detail})` : 'did not acknowledge it';
        say(`${ack.raw('MSA-1')} of ${of} to ${to}: ${why}`);
      }
    },
    close() {
      hangUp.abort();
      return there.close();
    },
  };
}

const ackPatienceMs = 10_000;

/** What is done with each message, one after the other. @throws CommandError */
function reactionTo(options: ReceiverOptions): (message: Message) => Reaction {
  const { answer: code, wrongId } = options;
  const seconds = options.delay === undefined ? undefined : Number(options.delay);
  if (seconds !== undefined && !(seconds >= 0 && seconds <= longestDelay)) {
    throw new CommandError(`"${options.delay}" is no number of seconds`, undefined, kind);
  }
  const told: Reaction = {
    code,
    ...(seconds !== undefined && { delay: seconds * 1000 }),
    ...(options.silent && { instead: 'silence' as const }),
    ...(options.close && { instead: 'reset' as const }),
    ...(wrongId && { wrongId }),
  };
  const every = options.every === undefined ? 1 : whole(options.every);
  if (every === 0) throw new CommandError('--every counts from 1', undefined, kind);
  const fits = fitting(options.for ?? []);
  const all = code === 'AA' && Object.keys(told).length === 1;
  if (all && (options.every !== undefined || options.for !== undefined)) {
    const next = 'say what to do with them: --answer AE, --delay, --silent, --close or --wrong-id';
    throw new CommandError(
      '--every and --for choose messages, and nothing is done with them',
      next,
    );
  }
  let count = 0;
  return (message) => (fits(message) && ++count % every === 0 ? told : {});
}

const kind = 'valueNotAllowed';
/** A day. */
const longestDelay = 86_400;

function fitting(texts: readonly string[]): (message: Message) => boolean {
  const where = texts.map((text) => {
    const read = readWhere(text);
    if (read) return read;
    const says = 'a condition needs a place and a text';
    throw new CommandError(says, "write it as 'PID-3=*123'", kind);
  });
  try {
    return holding(where);
  } catch (error) {
    throw new CommandError((error as Error).message, undefined, kind);
  }
}

/** What was said to a message: `AA`, `CA AE`, `silence`. */
function saidOf({ answered, reaction: { instead, wrongId } }: Received): string {
  if (instead) return instead;
  if (answered.length === 0) return 'no acknowledgement wanted';
  return `${answered.join(' ')}${wrongId ? ' with another MSA-2' : ''}`;
}

function show({ message, answered, reaction }: Received, said: string, options: ReceiverOptions) {
  const shown = message !== undefined && (options.content || options.reveal);
  const lines = shown ? segmentLines(message).toWellFormed() : undefined;
  const text = lines === undefined || options.reveal ? lines : maskSegments(lines);
  const [at, type, controlId] = [
    new Date().toISOString(),
    message?.raw('MSH-9'),
    message?.raw('MSH-10'),
  ];
  if (options.output === 'ndjson') {
    const { instead, wrongId, delay: delayMs } = reaction;
    print(
      JSON.stringify({ at, type, controlId, answered, instead, wrongId, delayMs, message: text }),
    );
    return;
  }
  const well = !reaction.instead && !reaction.wrongId && answered.every((code) => code[1] === 'A');
  const waited = reaction.delay ? [`after ${reaction.delay / 1000} s`] : [];
  const told = [type ?? 'no HL7', controlId ?? '', style(well ? 'green' : 'red', said), ...waited];
  print([at.slice(11, 23), ...told].join('  '));
  if (text !== undefined) print(`${text.replace(/^/gm, '    ')}\n`);
}
