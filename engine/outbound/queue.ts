/**
 * THE STORY of a delivery: what is owed to one destination is prepared, committed as being sent,
 * sent, and committed as delivered, in order within each lane, for as long as it takes.
 *
 * Two laws: nothing is written to a destination that is not in the journal as being sent, so that
 * after a crash whatever may have arrived is known and flagged; and the next message of a lane is
 * not written before it is in the journal what became of the one before.
 */
import { type Fault, faults } from '../faults.ts';
import { type Entry, exchangeName } from '../journal/journal.ts';
import { backoffMs, createTimers } from './backoff.ts';
import { createBacklog } from './backlog.ts';
import { createHalting } from './halts.ts';
import { createHealth } from './health.ts';
import { createLanes } from './lanes.ts';
import { createOutage } from './outage.ts';
import type { Prepared, Queue, QueueOptions, Refusal, Waiting } from './outbound.ts';
import { createRecorder } from './record.ts';
import { createSkips } from './skips.ts';
import { verdictOf } from './verdict.ts';

export function createQueue(options: QueueOptions): Queue {
  const { to, policy, emit, random = Math.random } = options;
  const lanes = createLanes();
  const stopping = new AbortController();
  const backlog = createBacklog(options, lanes, stopping.signal);
  const health = createHealth();
  const halting = createHalting(options, health);
  const outage = createOutage({ ...options, random }, health, pump);
  const record = createRecorder(options, stopping.signal);
  const timers = createTimers();
  const underWay = new Set<Promise<void>>();
  const skips = createSkips(options, record);
  /** Messages being prepared or sent; those waiting for another try, or to be stored, are not. */
  let running = 0;
  let delivered = 0;
  let parked = 0;
  /** Why the last attempt failed, until one succeeds. */
  let fault: Fault | undefined;

  /** Take up whatever may be sent now. */
  function pump(): void {
    // While it is down, one message finds out whether it is up again.
    const most = outage.isOn() ? 1 : options.parallel;
    while (running < most && maySend()) {
      const one = lanes.take();
      if (one === undefined) break;
      running += 1;
      health.tell('sends');
      const delivery = deliver(one).finally(() => underWay.delete(delivery));
      underWay.add(delivery);
    }
  }

  /** Done with: the next of its lane may go. */
  function leave(one: Waiting): void {
    running -= 1;
    lanes.leave(one);
    backlog.left(one);
    if (lanes.size() === 0) health.tell('emptied');
    if (backlog.more()) void backlog.refill().then(pump);
    pump();
  }

  /** It keeps its place. */
  function keep(one: Waiting): void {
    running -= 1;
    lanes.back(one);
  }

  /** It keeps its place, and its lane waits; the others go on. */
  function later(one: Waiting, ms: number): void {
    running -= 1;
    timers.after(ms, () => {
      lanes.back(one);
      pump();
    });
    pump();
  }

  function maySend(): boolean {
    return ['idle', 'delivering'].includes(health.state()) && !stopping.signal.aborted;
  }

  async function deliver(one: Waiting): Promise<void> {
    try {
      if (skips.has(one.exchange)) return void (await end(one, { state: 'skipped' }));
      const prepared = await prepare(one);
      if (stopping.signal.aborted) return keep(one);
      if (skips.has(one.exchange)) return void (await end(one, { state: 'skipped' }));
      if (prepared.kind === 'filtered') {
        return void (await end(one, { state: 'filtered', detail: prepared.why }));
      }
      const entries = prepared.entries ?? [];
      if (prepared.kind === 'failed') {
        const passes = faults[prepared.fault.name].class === 'transient';
        const refusal: Refusal = passes ? { then: 'retry' } : policy.poison;
        return void (await refused(one, prepared.fault, refusal, entries));
      }
      await attempt(one, prepared, entries);
    } catch (error) {
      // The journal could not store what is about to be sent, or we failed: nothing was written.
      skips.written(one.exchange);
      const name = error instanceof Error ? error.name : typeof error;
      emit('delivery.failed', { endpoint: to, exchange: exchangeName(one.exchange), detail: name });
      later(one, backoffMs(options.backoff, 1, random()));
    }
  }

  async function prepare(one: Waiting): Promise<Prepared> {
    const received = one.received ?? (await options.journal.received(one.exchange));
    if (received === undefined) return { kind: 'failed', fault: { name: 'messageMissing' } };
    return options.prepare(one.exchange, received, stopping.signal);
  }

  /** Committed as being sent; only then written. */
  async function attempt(
    one: Waiting,
    { payload, controlId }: Extract<Prepared, { kind: 'send' }>,
    entries: Entry[],
  ): Promise<void> {
    one.attempts += 1;
    if (one.ambiguous) {
      emit('delivery.possibleDuplicate', { endpoint: to, exchange: exchangeName(one.exchange) });
    }
    await record.sending(one, payload, entries);
    // Skipped while that was stored: what was told to a person holds.
    if (skips.has(one.exchange)) return void (await end(one, { state: 'skipped' }));
    skips.writing(one.exchange);
    const sent = await options.send(payload, controlId, stopping.signal);
    skips.written(one.exchange);
    if ('fault' in sent) return void (await notSent(one, sent.fault, sent.reply));
    outage.over();
    fault = undefined;
    const verdict = verdictOf(sent.reply);
    let stored: boolean;
    if (verdict.event === 'refused') {
      one.ambiguous ||= verdict.by === 'unreadable';
      stored = await refused(one, verdict.fault, policy[verdict.by], [], sent.reply);
    } else {
      delivered += 1;
      stored = await end(one, { state: 'delivered' }, sent.reply);
    }
    if (stored) sent.stored?.();
  }

  /** Nothing came back that says what became of it. */
  async function notSent(one: Waiting, why: Fault, reply?: Uint8Array): Promise<unknown> {
    if (why.name === 'shuttingDown') return keep(one);
    one.ambiguous ||= faults[why.name].class === 'ambiguous';
    switch (why.name) {
      case 'acknowledgementUnreadable':
        return refused(one, why, policy.unreadable, [], reply);
      case 'applicationAckMissing':
        return refused(one, why, policy.unprocessed, [], reply);
      case 'preparationFailed':
        return refused(one, why, policy.poison, [], reply);
      case 'acknowledgementTimeout': {
        // The destination is tried again as a whole, unless this message has had its tries.
        const times = (one.silences = (one.silences ?? 0) + 1);
        const { then } = policy.unanswered;
        if (then === 'halt' || isOver(policy.unanswered, times)) {
          return refused(one, why, then === 'halt' ? policy.unanswered : { then: 'park' }, []);
        }
        return destinationFailed(one, why);
      }
      default:
        return destinationFailed(one, why, reply);
    }
  }

  /** It ends here, one way or another; the next message of its lane may go. */
  async function end(
    one: Waiting,
    what: {
      state: 'delivered' | 'filtered' | 'skipped' | 'parked';
      detail?: string;
      fault?: Fault;
    },
    reply?: Uint8Array,
    entries: Entry[] = [],
  ): Promise<boolean> {
    const stored = record.outcome(one, what, reply, entries);
    skips.ended(one.exchange, what.state, stored);
    const of = { endpoint: to, exchange: exchangeName(one.exchange), attempt: one.attempts };
    const why = what.fault && { code: codeOf(what.fault), detail: what.fault.detail };
    emit(`delivery.${what.state}`, { ...of, ...why });
    // The lane goes on at once, but what is sent next waits for this to be stored (`record`).
    leave(one);
    return stored;
  }

  /** The destination, or our own preparation, will not have this message. */
  async function refused(
    one: Waiting,
    why: Fault,
    refusal: Refusal,
    entries: Entry[],
    reply?: Uint8Array,
  ): Promise<boolean> {
    if (skips.has(one.exchange)) return end(one, { state: 'skipped' }, reply, entries);
    const times = (one.refusals = (one.refusals ?? 0) + 1);
    if (isOver(refusal, times)) {
      parked += 1;
      return end(one, { state: 'parked', fault: why }, reply, entries);
    }
    fault = why;
    // Before its outcome: whatever dies in between, it is not sent once more.
    if (refusal.then === 'halt') halting.on(one.exchange, codeOf(why));
    const stored = await record.outcome(one, { state: 'failed', fault: why }, reply, entries);
    told(one, why);
    if (refusal.then === 'halt') {
      keep(one);
      // A person may have released it meanwhile.
      pump();
    } else later(one, backoffMs(options.backoff, times, random()));
    return stored;
  }

  /** Nobody is there, or nobody answers: all wait, and one tries again. */
  async function destinationFailed(one: Waiting, why: Fault, reply?: Uint8Array): Promise<void> {
    fault = why;
    keep(one);
    outage.failed(why);
    told(one, why);
    // What a person skipped meanwhile stays skipped.
    if (skips.has(one.exchange)) return;
    await record.outcome(one, { state: 'failed', fault: why }, reply, []);
  }

  function told(one: Waiting, why: Fault): void {
    const of = { endpoint: to, exchange: exchangeName(one.exchange), attempt: one.attempts };
    emit('delivery.failed', { ...of, code: codeOf(why), detail: why.detail });
  }

  return {
    async start() {
      // The queue before this one may have halted on what it was finishing.
      halting.again();
      await backlog.start();
      pump();
    },
    owed(exchange, received, ambiguous) {
      backlog.add(exchange, received, ambiguous);
      pump();
    },
    hold() {
      if (health.tell('held')) emit('destination.held', { endpoint: to });
    },
    release() {
      if (health.state() === 'down') return outage.hasten();
      halting.over();
      if (health.tell('released')) emit('destination.released', { endpoint: to });
      pump();
    },
    resume() {
      if (!health.tell('released')) return;
      halting.again();
      if (health.state() === 'idle') emit('destination.released', { endpoint: to });
      pump();
    },
    async skip(exchange) {
      const skip = await skips.skip(exchange);
      pump();
      return skip;
    },
    status: () => ({
      to,
      state: health.state(),
      depth: lanes.size(),
      more: backlog.more(),
      oldest: lanes.oldest(),
      delivered,
      parked,
      fault: fault ? codeOf(fault) : halting.fault(),
      nextTry: outage.nextTry(),
    }),
    async stop(graceMs) {
      health.tell('stopped');
      timers.close();
      outage.clear();
      const late = setTimeout(() => stopping.abort(), graceMs);
      await Promise.allSettled(underWay);
      clearTimeout(late);
      stopping.abort();
      await record.flush();
    },
  };
}

/** It was refused so often that it is parked. */
const isOver = (refusal: Refusal, times: number): boolean =>
  refusal.then === 'park' || (refusal.then === 'retryThenPark' && times > refusal.times);

const codeOf = (fault: Fault): string => faults[fault.name].code;
