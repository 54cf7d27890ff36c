/** The journal's contract for deleting: what a channel keeps no longer, and what a person says. */
import type { Progress } from './journal.ts';

/** What a deletion took away. */
export interface Forgotten {
  exchanges: number;
  /** How many of them were parked, or had a delivery that was. */
  parked: number;
  /** How many of them were not done with, or had a delivery that was still to come. */
  undelivered: number;
}

/**
 * Times of their own for what a deletion would spare, or would not: microseconds since 1970,
 * exclusive.
 */
export interface Limits {
  /** Of what is parked; spared whatever its age unless told. */
  parked?: number;
  /** Of what is not done with; spared whatever its age unless told. */
  undelivered?: number;
  /** Of what ended with a fault; deleted with the rest unless told. */
  faulty?: number;
  /** Of what was not answered positively, whatever became of it; deleted with the rest unless told. */
  notAnswered?: number;
}

/** States that can be deleted apart from the others: nothing is done with them by itself. */
export const removable = ['rejected', 'parked', 'closed'] as const satisfies Progress[];
export type Removable = (typeof removable)[number];

/** What is stored of a channel. */
export interface Stored {
  channel: string;
  exchanges: number;
  /** Of its blocks, as they lie in the journal. */
  bytes: number;
  /** By hour since 1970, oldest first; what is not yet indexed is not in it. */
  hours: { hour: number; exchanges: number; bytes: number }[];
}

/** Retention. Apart from `Journal`, because only what applies a channel's `keep` needs it. */
export interface Retention {
  /**
   * Delete for good the exchanges of one channel that began before a time, in small steps between
   * commits; the space comes back. What is parked or not done with stays, whatever its age, unless
   * it began before a time of its own.
   * @param before microseconds since 1970, exclusive, as are those of `even`
   */
  forget(channel: string, before: number, even?: Limits): Promise<Forgotten>;
  /**
   * Delete for good the exchanges of one channel that began before a time and ended in one state,
   * whatever the age of the others. What is still owed to a destination stays.
   */
  remove(channel: string, before: number, state: Removable): Promise<Forgotten>;
  /** What is stored of each channel, also of those that are no longer configured. */
  stored(): Promise<Stored[]>;
}
