/** Sending to a listener from the command line: one connection, one message at a time. */
import { parseMessage } from '../../engine/hl7/message.ts';
import { createDestination } from '../../engine/mllp/destination.ts';
import { readInput } from './input.ts';
import { CommandError } from './output.ts';

export interface Target {
  host: string;
  port: number;
}

/** `host:port`, `[::1]:port` or a bare port of this machine. */
export function target(text: string): Target {
  const [, host = '127.0.0.1', port] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  if (!port || Number(port) > 65535) {
    throw new CommandError(
      `"${text}" is no host:port`,
      'write it as 127.0.0.1:2575',
      'valueNotAllowed',
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** MSA-2 of a reply, by which it belongs to a message. */
export function correlate(reply: Buffer): string | undefined {
  try {
    return parseMessage(reply).raw('MSA-2');
  } catch {
    return undefined;
  }
}

/** Files of PEM, as they are named on the command line. */
export interface TlsFiles {
  certificate?: string;
  key?: string;
  authorities?: string;
}

/** What they hold. @throws CommandError where one cannot be read */
export function pemsOf({ certificate, key, authorities }: TlsFiles) {
  const read = (file: string | undefined) => (file === undefined ? undefined : readInput(file));
  return { cert: read(certificate), key: read(key), ca: read(authorities) };
}

/** A connection to a listener. @param timeoutMs longest wait for one answer */
export function connectTo(
  to: Target,
  timeoutMs: number,
  tls?: TlsFiles,
): ReturnType<typeof createDestination> {
  return createDestination(
    {
      name: `${to.host}:${to.port}`,
      ...to,
      connectMs: Math.min(timeoutMs, 10_000),
      writeMs: timeoutMs,
      answerMs: timeoutMs,
      maxReplyBytes: 64 * 1024 ** 2,
      tls: tls && pemsOf(tls),
    },
    correlate,
  );
}
