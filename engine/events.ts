/**
 * Every log line and counter by name: an event is declared once here, with the fields it may
 * carry. There is no other way to log, and no field here may hold message content; that is what
 * makes this the only redaction point.
 */
/** How much it matters. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Event name → its level. The sentence of the line is the name itself, with dots. */
export const levels = {
  'engine.started': 'info',
  'engine.stopping': 'info',
  'engine.stopped': 'info',
  'alert.raised': 'error',
  'alert.repeated': 'warn',
  'alert.cleared': 'info',
  'alert.undelivered': 'error',
  'watch.failed': 'error',
  'health.listening': 'info',
  'health.portBusy': 'warn',
  'config.applied': 'info',
  'config.refused': 'error',
  'channel.listening': 'info',
  'channel.portBusy': 'warn',
  'channel.closed': 'info',
  'connection.opened': 'debug',
  'connection.closed': 'debug',
  'connection.refused': 'warn',
  'frame.fault': 'warn',
  'exchange.received': 'debug',
  'exchange.repeat': 'info',
  'exchange.controlIdReused': 'warn',
  'exchange.step': 'debug',
  'exchange.answered': 'debug',
  'exchange.undelivered': 'warn',
  'exchange.fault': 'warn',
  'parts.dropped': 'warn',
  'gp.asked': 'debug',
  'gp.replied': 'debug',
  'gp.replyDiscarded': 'warn',
  'delivery.delivered': 'debug',
  'delivery.filtered': 'debug',
  'delivery.failed': 'warn',
  'delivery.parked': 'error',
  'delivery.possibleDuplicate': 'warn',
  'delivery.skipped': 'warn',
  'delivery.ackDiscarded': 'warn',
  'destination.down': 'warn',
  'destination.up': 'info',
  'destination.halted': 'error',
  'destination.haltNotKept': 'error',
  'destination.held': 'info',
  'destination.released': 'info',
  'control.listening': 'info',
  'control.failed': 'error',
  'control.acted': 'info',
  'mapping.threadEnded': 'warn',
  'journal.opened': 'info',
  'journal.keyCreated': 'warn',
  'journal.committed': 'debug',
  'journal.fault': 'error',
  'journal.indexRebuilt': 'info',
  'journal.indexDamaged': 'error',
  'journal.shortened': 'error',
  'journal.tornEnd': 'warn',
  'journal.forgotten': 'info',
  'journal.forgottenUndelivered': 'warn',
  'journal.repeatsShortened': 'warn',
  'simulator.listening': 'info',
  'simulator.asked': 'info',
  'simulator.refused': 'warn',
} as const satisfies Record<string, Level>;

export type EventName = keyof typeof levels;

/** What an event may carry. Names, codes, counts, times and addresses; never message content. */
export interface EventFields {
  channel?: string;
  exchange?: string;
  step?: string;
  event?: string;
  code?: string;
  detail?: string;
  peer?: string;
  endpoint?: string;
  interaction?: string;
  status?: number;
  type?: string;
  attempt?: number;
  count?: number;
  bytes?: number;
  ms?: number;
  port?: number;
  host?: string;
  file?: string;
  /** Of the configuration. */
  revision?: string;
  /** What became of a message. */
  state?: string;
  /** What is told of in an alert, and what of. */
  condition?: string;
  subject?: string;
}

/** Emit one event: one log line and one count. */
export type Emit = (name: EventName, fields?: EventFields) => void;

/** An emitter that says nothing, for parts used on their own. */
export const silent: Emit = () => {};
