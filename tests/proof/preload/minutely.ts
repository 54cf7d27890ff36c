/**
 * Loaded into a Gatehouse under trial (`--import`), in each of its threads: what is due every hour
 * (retention) is done every minute, so that an hour shows what weeks do.
 */
const hourMs = 3_600_000;
const minuteMs = 60_000;

const { setInterval } = globalThis;
globalThis.setInterval = ((call: () => void, ms: number, ...given: []) =>
  setInterval(call, ms >= hourMs ? minuteMs : ms, ...given)) as typeof globalThis.setInterval;
