/** The exit codes of every command. */
export const exits = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  partly: 5,
  /** It ran; findings are present, or the answer was negative. */
  findings: 6,
  unavailable: 69,
  badConfig: 78,
} as const;
