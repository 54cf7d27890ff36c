/**
 * The sender: asks a system that speaks MLLP and waits for its reply. One request is under way on a
 * connection at a time; a connection on which anything went wrong is reset and never used again, so
 * that a late reply cannot be taken for the answer to a later request.
 */
import type { Emit } from '../events.ts';
import { silent } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import type { FaultName } from '../faults.ts';
import { frame } from './frame.ts';
import { openLink } from './link.ts';
import type { Link, LinkOptions } from './link.ts';

export interface DestinationOptions extends LinkOptions {
  /** Name of the destination, for the events. */
  name: string;
  /** Connections at most; requests beyond wait their turn. One unless told. */
  connections?: number;
}

export interface MllpDestination {
  /**
   * Send one message and wait for its reply.
   * @param payload the message, unframed
   * @param id what `correlate` finds in its reply
   * @param signal ends the wait at once; its reason is thrown where that is a FaultError
   * @returns the reply's payload, exactly as it came
   * @throws FaultError gpUnavailable: not connected, or cut before the request was written;
   *   gpTimeout: written, and no reply (it may have been worked on); gpReplyUnreadable or
   *   gpReplyTooLong, as `ReplyError` with the bytes; deadlinePassed by `signal`; shuttingDown;
   *   internalError: the payload cannot be framed
   */
  ask(payload: Buffer, id: string, signal: AbortSignal): Promise<Buffer>;
  /** Reset every connection; requests under way reject with shuttingDown. */
  close(): void;
}

/** A reply that came and is of no use; the bytes are kept for the journal. */
export class ReplyError extends FaultError {
  readonly reply: Buffer;
  constructor(name: FaultName, detail: string, reply: Buffer) {
    super({ name, detail });
    this.reply = reply;
  }
}

/** One request, from `ask` to its end. */
interface Request {
  framed: Buffer;
  id: string;
  link?: Link;
  resolve(reply: Buffer): void;
  reject(error: FaultError): void;
}

/**
 * A destination; connects when first asked and keeps its connections.
 * @param correlate the id of the request a reply belongs to; undefined where it cannot be read
 */
export function createDestination(
  options: DestinationOptions,
  correlate: (reply: Buffer) => string | undefined,
  emit: Emit = silent,
): MllpDestination {
  const most = options.connections ?? 1;
  const waiting: Request[] = [];
  const idle: Link[] = [];
  const underWay = new Set<Request>();
  let isClosed = false;

  function ask(payload: Buffer, id: string, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (isClosed) throw new FaultError({ name: 'shuttingDown' });
      if (signal.aborted) throw abortion(signal);
      const aborted = (): void => finish(request, () => request.reject(abortion(signal)), true);
      const request: Request = {
        framed: frame(payload),
        id,
        resolve(reply) {
          signal.removeEventListener('abort', aborted);
          resolve(reply);
        },
        reject(error) {
          signal.removeEventListener('abort', aborted);
          reject(error);
        },
      };
      signal.addEventListener('abort', aborted, { once: true });
      waiting.push(request);
      next();
    });
  }

  /** Give waiting requests to free connections, in order. */
  function next(): void {
    while (waiting.length > 0 && underWay.size < most) {
      const request = waiting.shift();
      if (request !== undefined) start(request);
    }
  }

  function start(request: Request): void {
    underWay.add(request);
    try {
      request.link = freeLink() ?? openLink({ ...options, unasked });
    } catch (error) {
      // Certificates that cannot be used: nothing is connected, and the next request has its turn.
      const { code, name } = error as NodeJS.ErrnoException;
      fail(request, new FaultError({ name: 'gpUnavailable', detail: code ?? name }));
      return;
    }
    request.link.send(request.framed, {
      reply: (bytes, warnings) => replied(request, bytes, warnings),
      broken: (fault, bytes) => {
        const name = fault === 'frameTooLong' ? 'gpReplyTooLong' : 'gpReplyUnreadable';
        fail(request, new ReplyError(name, fault, bytes));
      },
      failed: (name, detail) => fail(request, new FaultError({ name, detail })),
    });
  }

  /** A connection that is still open and has nothing left over from an earlier request. */
  function freeLink(): Link | undefined {
    for (let link = idle.pop(); link !== undefined; link = idle.pop()) {
      if (link.usable()) return link;
      link.reset();
    }
    return undefined;
  }

  function replied(request: Request, bytes: Buffer, warnings: FaultName[]): void {
    for (const warning of warnings) {
      emit('frame.fault', { endpoint: options.name, code: faults[warning].code });
    }
    const id = idOf(bytes);
    if (id === undefined) {
      fail(request, new ReplyError('gpReplyUnreadable', 'it does not say what it answers', bytes));
    } else if (id === request.id) {
      finish(request, () => request.resolve(bytes), false);
    } else unasked(bytes);
  }

  /** Not the reply to what is under way: it settles nothing. */
  function unasked(bytes: Buffer): void {
    if (options.unasked) options.unasked(bytes);
    else emit('gp.replyDiscarded', { endpoint: options.name, bytes: bytes.length });
  }

  function idOf(reply: Buffer): string | undefined {
    try {
      return correlate(reply);
    } catch {
      return undefined;
    }
  }

  function fail(request: Request, error: FaultError): void {
    finish(request, () => request.reject(error), true);
  }

  function finish(request: Request, settle: () => void, reset: boolean): void {
    const place = waiting.indexOf(request);
    if (place !== -1) waiting.splice(place, 1);
    underWay.delete(request);
    if (reset) request.link?.reset();
    else if (request.link !== undefined) idle.push(request.link.rest());
    settle();
    next();
  }

  function close(): void {
    isClosed = true;
    for (const request of [...waiting, ...underWay]) {
      fail(request, new FaultError({ name: 'shuttingDown' }));
    }
    for (const link of idle.splice(0)) link.reset();
  }

  return { ask, close };
}

function abortion(signal: AbortSignal): FaultError {
  return signal.reason instanceof FaultError
    ? signal.reason
    : new FaultError({ name: 'deadlinePassed' }, { cause: signal.reason });
}
