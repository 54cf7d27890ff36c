/**
 * The answers of one connection, each written in the turn of its arrival. Answers that become ready
 * in one tick leave together; a peer that does not read holds them back (`drain`).
 */
import type { Socket } from 'node:net';
import type { Emit, EventFields } from '../events.ts';
import { FaultError, faults } from '../faults.ts';
import { frame } from './frame.ts';
import type { Arrival, Peer, Respond, Response } from './mllp.ts';

export interface Turns {
  /** Hand an arrival over; its answer gets the next turn. */
  take(arrival: Arrival): void;
  /** Arrivals handed over and not yet answered. */
  open(): number;
  /** Since when the peer has not taken what was written (`performance.now()`); 0 when it does. */
  blockedSince(): number;
  /** Write nothing more: answers in hand and to come are settled as undelivered. */
  shut(): void;
}

/** One arrival that was handed over, until its answer is written. */
interface Turn {
  ready: boolean;
  /** Frames to write before the response. */
  interim?: Buffer[];
  response?: Response;
  framed?: Buffer;
  /** Hang up after this one. */
  last: boolean;
}

/** What the conversation is told. */
export interface TurnEvents {
  /** Turns were taken: there may be room for more, or nothing left to do. */
  moved(): void;
  /** A turn asked to hang up, or its answer failed. */
  last(): void;
}

/**
 * @param where fields of every event emitted: the channel and the peer
 */
export function createTurns(
  socket: Socket,
  peer: Peer,
  respond: Respond,
  emit: Emit,
  where: EventFields,
  events: TurnEvents,
): Turns {
  const turns: Turn[] = [];
  let scheduled = false;
  let blocked = 0;
  let isShut = false;

  function take(arrival: Arrival): void {
    const turn: Turn = { ready: false, last: false };
    turns.push(turn);
    const interim = (payload: Uint8Array): void => {
      if (turn.ready || isShut) return;
      (turn.interim ??= []).push(frame(payload));
      if (turns[0] === turn) schedule();
    };
    let answer: Promise<Response | undefined>;
    try {
      answer = respond(arrival, peer, interim);
    } catch (error) {
      answer = Promise.reject(error);
    }
    answer.then(
      (response) => answered(turn, response),
      (error: unknown) => failed(turn, error),
    );
  }

  function answered(turn: Turn, response: Response | undefined): void {
    turn.response = response;
    turn.last = response?.close === true;
    try {
      if (response !== undefined) turn.framed = frame(response.payload);
    } catch (error) {
      return failed(turn, error);
    }
    ready(turn);
  }

  /** Nothing is written in this turn, and the peer must not wait for it: hang up. */
  function failed(turn: Turn, error: unknown): void {
    turn.last = true;
    report(error);
    ready(turn);
  }

  function ready(turn: Turn): void {
    turn.ready = true;
    if (turns[0] === turn) schedule();
  }

  /** `nextTick` runs when all promises of this tick are done. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    process.nextTick(flush);
  }

  function flush(): void {
    scheduled = false;
    const several = turns[1]?.ready === true && !isShut;
    if (several) socket.cork();
    for (let turn = turns[0]; turn !== undefined && (isShut || blocked === 0); turn = turns[0]) {
      for (const framed of turn.interim ?? []) write(framed);
      turn.interim = undefined;
      if (!turn.ready) break;
      turns.shift();
      write(turn.framed, turn.response);
      if (turn.last) events.last();
    }
    if (several) socket.uncork();
    events.moved();
  }

  function write(framed: Buffer | undefined, response?: Response): void {
    if (framed === undefined || isShut) return settle(response, 'undelivered');
    const taken = socket.write(framed, (error) => {
      // After a cut, Node calls back without an error for bytes that never left.
      settle(response, error || socket.destroyed ? 'undelivered' : 'delivered');
    });
    if (!taken && blocked === 0) blocked = performance.now();
  }

  function settle(response: Response | undefined, outcome: 'delivered' | 'undelivered'): void {
    try {
      response?.settled(outcome);
    } catch (error) {
      report(error);
    }
  }

  function report(error: unknown): void {
    const fault = error instanceof FaultError ? error.fault.name : 'internalError';
    const detail = error instanceof Error ? error.name : typeof error;
    emit('exchange.fault', { ...where, code: faults[fault].code, detail });
  }

  function shut(): void {
    isShut = true;
    schedule();
  }

  socket.on('drain', () => {
    blocked = 0;
    flush();
  });

  return { take, open: () => turns.length, blockedSince: () => blocked, shut };
}
