/**
 * What a part of the proof is: a law, what is tried against it within a number of minutes, and what
 * came of it. `parts.ts` names them all, `run.ts` runs them.
 */
import { hash } from 'node:crypto';

export interface Part {
  /** As `--only` takes it, for example `kill`. */
  name: string;
  /** What must hold whatever happens, as one sentence without a full stop. */
  law: string;
  /** What it may take of a full run; everything is tried so often that it fits on two cores. */
  minutes: number;
  /** Which command runs it: `npm run proof` or `npm run proof:soak`. */
  suite: 'proof' | 'soak';
  /**
   * Try it. What the law forbids goes into `broken`; it throws only where nothing could be tried,
   * which counts as broken too.
   */
  run(trial: Trial): Promise<Outcome>;
}

/** What a part is given for one run. */
export interface Trial {
  /** Of the whole run; printed, so that a run can be repeated with `--seed`. */
  seed: number;
  /** From 0 (inclusive) to 1, drawn from the seed and the part's name. */
  random: Random;
  /**
   * How many times something is to be tried in this run: the whole number in a full one, its share
   * (at least 1) with `--minutes`. What is not reached before `deadline` has to be told as broken.
   */
  count(full: number): number;
  /** How long something is to last in this run, in milliseconds, of what it lasts in a full one. */
  lasting(fullMs: number): number;
  /** When to wind up, as `performance.now()` tells time; 20 % later the part is ended. */
  deadline: number;
  /** Aborted when the part has to end at once. */
  signal: AbortSignal;
  /** An empty folder of its own on a disk; removed afterwards. */
  folder: string;
  /** Modules every Gatehouse under trial is to be started with (`--import`): the planted bugs. */
  imports: readonly string[];
  /** One line of progress, for whoever watches. */
  tell(text: string): void;
}

/** What was tried, and what was found. */
export interface Outcome {
  /** For example `{ kills: 500, acknowledgements: 612345 }`. */
  tried: Figures;
  /** What may be counted without being wrong, for example `{ 'flagged as possible duplicates': 321 }`. */
  found: Figures;
  /** Each way in which the law was broken, one sentence each; at best none. */
  broken: string[];
}

export type Figures = Readonly<Record<string, number | string>>;

/** From 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32, public domain). @param of what they are for */
export function randomFrom(seed: number, of: string): Random {
  let state = Buffer.from(hash('sha256', `${seed} ${of}`), 'hex').readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A whole number from `least` to `most`, both included. */
export function wholeBetween(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of several. */
export function oneOf<Choice>(random: Random, choices: readonly [Choice, ...Choice[]]): Choice {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

/**
 * The law that something was tried so often.
 * @returns the sentence to tell as broken, or nothing
 */
export function tooFew(what: string, tried: number, wanted: number): string[] {
  return tried >= wanted ? [] : [`only ${tried} of ${wanted} ${what} could be tried in the time`];
}
