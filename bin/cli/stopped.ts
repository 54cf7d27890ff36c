/** Resolves when the person or the system asks the process to end (SIGTERM, Ctrl-C). */
export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
