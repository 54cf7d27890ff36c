/**
 * One connection's ordered conversation: frames are handed over in order of arrival without waiting
 * for earlier answers, and answers are written in that order. Whatever becomes of the connection,
 * every whole frame and every broken one that was read is handed over, and every answer is settled.
 */
import type { Socket } from 'node:net';
import type { Emit } from '../events.ts';
import { faults } from '../faults.ts';
import type { FaultName } from '../faults.ts';
import { createDeframer } from './frame.ts';
import { messageStarts } from './mllp.ts';
import type { Arrival, ConnectionStatus, Peer, Respond } from './mllp.ts';
import { createStanding } from './standing.ts';
import { createTurns } from './turns.ts';

export interface ConversationOptions {
  channel: string;
  mode: 'lenient' | 'strict';
  /** As in `SourceLimits`. */
  limits: {
    frameBytes: number;
    idleMs: number;
    inFrameMs: number;
    graceMs: number;
    pipeline: number;
  };
}

export interface Conversation {
  /** Look at the deadlines. Called now and then with `performance.now()`: no timer per message. */
  sweep(now: number): void;
  /** Take no more, answer what was taken, then hang up. */
  drain(): void;
  status(): ConnectionStatus;
}

/** How long a peer may take to close its side after we closed ours. */
const lingerMs = 2000;

/**
 * Converse over a connected socket (with `allowHalfOpen`) until it is closed.
 * @param over called once, when the socket is closed and every answer is settled
 */
export function converse(
  socket: Socket,
  peer: Peer,
  options: ConversationOptions,
  respond: Respond,
  emit: Emit,
  over: () => void,
): Conversation {
  const { channel, limits } = options;
  const where = { channel, peer: peer.address };
  const turns = createTurns(socket, peer, respond, emit, where, { moved, last: hangUp });
  const deframer = createDeframer(
    { maxBytes: limits.frameBytes, mode: options.mode, marks: messageStarts },
    arrived,
  );
  /** Frames beyond the pipeline; at most those of what was read before the pause. */
  let waiting: Arrival[] = [];
  let nextWaiting = 0;
  let paused = false;
  const standing = createStanding();
  let arrivals = 0;
  let closedFor: FaultName | undefined;
  /** Times of `performance.now()`: the last bytes; the last frame or answer; a frame's beginning. */
  let heard = performance.now();
  let busy = heard;
  let frameSince = 0;
  /** When a peer that does not close its side is cut. */
  let closeBy = Infinity;

  /** Frames are taken and answers written. */
  const converses = (): boolean => standing.stage() === 'open' || standing.stage() === 'deaf';

  function arrived(arrival: Arrival): void {
    arrivals++;
    frameSince = 0;
    busy = heard;
    // A broken arrival is reported by whoever answers it; a warning would otherwise go unseen.
    if (arrival.kind === 'message') {
      for (const warning of arrival.warnings) {
        emit('frame.fault', { ...where, code: faults[warning].code });
      }
    }
    if (turns.open() < limits.pipeline && waiting.length === 0) turns.take(arrival);
    else waiting.push(arrival);
  }

  function moved(): void {
    busy = performance.now();
    proceed();
  }

  /** Hand over what waited; then read on, pause or end, as it stands. */
  function proceed(): void {
    while (turns.open() < limits.pipeline && nextWaiting < waiting.length) {
      const arrival = waiting[nextWaiting++];
      if (arrival !== undefined) turns.take(arrival);
    }
    if (nextWaiting > 0 && nextWaiting === waiting.length) {
      waiting = [];
      nextWaiting = 0;
    }
    if (turns.open() === 0 && waiting.length === 0) {
      if (standing.stage() === 'closed') {
        standing.tell('settled');
        over();
      } else if (converses() && deframer.state() === 'closed') hangUp();
    }
    if (converses()) pauseOrResume(turns.open() >= limits.pipeline || waiting.length > 0);
  }

  function pauseOrResume(full: boolean): void {
    if (full === paused) return;
    paused = full;
    if (paused) {
      socket.pause();
      return;
    }
    // The peer was not silent; we did not listen.
    heard = performance.now();
    if (frameSince > 0) frameSince = heard;
    socket.resume();
  }

  /** Close our side. What the peer still sends is read and thrown away, so that it gets no reset. */
  function hangUp(): void {
    if (!standing.tell('hangsUp')) return;
    deframer.abandon('frameCutShort');
    turns.shut();
    closeBy = performance.now() + limits.inFrameMs;
    socket.end(() => (closeBy = performance.now() + lingerMs));
    socket.resume();
  }

  function sweep(now: number): void {
    const blockedSince = turns.blockedSince();
    standing.tell(blockedSince > 0 ? 'blocked' : 'drained');
    const tooLong = blockedSince > 0 && now - blockedSince > limits.inFrameMs;
    if (tooLong || now > closeBy) socket.destroy();
    if (!converses() || paused) return;
    const state = deframer.state();
    if (state === 'between') {
      if (turns.open() > 0 || now - busy <= limits.idleMs) return;
      closedFor = 'connectionIdle';
      hangUp();
    } else if (now - frameSince > limits.inFrameMs) {
      deframer.abandon('frameTimeout');
    } else if (now - heard > limits.graceMs) {
      deframer.quiet();
    }
    proceed();
  }

  function drain(): void {
    deframer.abandon('shuttingDown');
    proceed();
  }

  socket.on('data', (chunk: Buffer) => {
    heard = performance.now();
    deframer.push(chunk);
    if (frameSince === 0 && deframer.state() !== 'between') frameSince = heard;
    proceed();
  });
  socket.on('end', () => {
    deframer.end();
    proceed();
  });
  // 'close' follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    standing.tell('closed');
    // After a reset not even a lenient channel takes what has no end.
    deframer.abandon('frameCutShort');
    turns.shut();
    const code = closedFor && faults[closedFor].code;
    emit('connection.closed', { ...where, code, count: arrivals });
  });

  function status(): ConnectionStatus {
    const open = turns.open() + waiting.length - nextWaiting;
    const stage = standing.stage();
    const within = deframer.state() === 'between' ? 'quiet' : 'receiving';
    return {
      peer,
      state: stage !== 'open' ? stage : open > 0 ? 'answering' : within,
      silentMs: Math.round(performance.now() - heard),
      messages: arrivals,
      open,
    };
  }

  return { sweep, drain, status };
}
