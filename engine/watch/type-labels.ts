/** Labels of message types: those a channel accepts, and no more than a site can have. */

/** Beyond so many, further ones are counted together: each label is a time series for good. */
const mostTypes = 300;

/**
 * @param accepts the types a channel takes: `ADT^A01`, or `ADT` for all of its events
 * @returns the label of a type as a sender wrote it (MSH-9): `ADT^A01`, or `other`
 */
export function createTypeLabels(
  accepts: (channel: string) => readonly string[],
): (channel: string, type: string) => string {
  const known = new Set<string>();
  return (channel, type) => {
    const label = /^[A-Z]{3}\W[A-Z]\d\d/.exec(type)?.[0].replace(/\W/, '^') ?? 'other';
    if (label === 'other' || !isAccepted(channel, label)) return 'other';
    if (known.size >= mostTypes && !known.has(label)) return 'other';
    known.add(label);
    return label;
  };

  function isAccepted(channel: string, label: string): boolean {
    const taken = accepts(channel);
    return taken.includes(label) || taken.includes(label.slice(0, 3));
  }
}
