/**
 * The order in which the messages of one connection came, kept where some are worked on for longer:
 * a merge looks up its patients and may be committed after the message behind it. What that one owes
 * must still be owed after what the merge owes.
 */

/** One message in its sequence. */
export interface Place {
  /** Do it once every message before this one has ended: now, where there is none. */
  inTurn(act: () => void): void;
  end(): void;
}

export interface Sequence {
  /** The next message begins. */
  begin(): Place;
}

/** @param release does what is due; a batch within another sequence waits for that one's turn, too */
export function createSequence(release: Place['inTurn'] = (act) => act()): Sequence {
  const places: { due: (() => void)[]; ended: boolean }[] = [];

  function end(place: (typeof places)[number]): void {
    place.ended = true;
    while (places[0]?.ended) {
      places.shift();
      for (const act of places[0]?.due.splice(0) ?? []) release(act);
    }
  }

  return {
    begin() {
      const place = { due: [] as (() => void)[], ended: false };
      places.push(place);
      return {
        inTurn(act) {
          if (places[0] === place) release(act);
          else place.due.push(act);
        },
        end: () => end(place),
      };
    },
  };
}

const sequences = new WeakMap<object, Sequence>();

/** The sequence of a connection; it outlives a change of the configuration. */
export function sequenceOf(connection: object): Sequence {
  const known = sequences.get(connection) ?? createSequence();
  sequences.set(connection, known);
  return known;
}
