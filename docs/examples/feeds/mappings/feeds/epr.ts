/** What the rules of epr.yaml cannot say. */

/** A number without the zeros in front of it. */
export function withoutZeros([number]: readonly (string | undefined)[]): string | undefined {
  return number?.replace(/^0+(?=.)/, '');
}
