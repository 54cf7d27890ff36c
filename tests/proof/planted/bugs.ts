/** Bugs planted on purpose, one line each: a proof that does not find them proves nothing. */

export interface Bug {
  /** What the engine then does. */
  name: string;
  /** The line that is changed, in a file of the engine; it must be there exactly once. */
  file: string;
  find: string;
  replace: string;
  /** The sentence with which the law has to be found broken. */
  shows: RegExp;
}

export const bugs: readonly Bug[] = [
  {
    name: 'acknowledges before it commits',
    file: 'engine/exchange.ts',
    find: 'await Promise.all([commit(work)',
    replace: 'void Promise.all([commit(work)',
    shows: /acknowledged and not in the journal/,
  },
  {
    name: 'settles on a wrong MSA-2',
    file: 'engine/mllp/destination.ts',
    find: '} else if (id === request.id) {',
    replace: '} else if (id !== undefined) {',
    shows: /acknowledged and never accepted by the receiver/,
  },
  {
    name: 'forgets that an attempt may have arrived',
    file: 'engine/outbound/backlog.ts',
    find: "if (state === 'sending') return true;",
    replace: "if (state === 'sending') return false;",
    shows: /delivered again without being flagged/,
  },
  {
    name: 'takes no notice of the ordering key',
    file: 'engine/outbound/feed.ts',
    find: "createHash('sha256').update(value)",
    replace: "createHash('sha256').update(received)",
    shows: /delivered out of order/,
  },
];
