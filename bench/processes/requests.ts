/** What every process of the benchmark does: answer requests over IPC, and end with its parent. */

export type Reply<T> = { value: T } | { error: string };

/** Answer each request with what `answer` gives; the first message says that we are ready. */
export function answerRequests<Request, Value>(
  answer: (request: Request) => Value | Promise<Value>,
): void {
  endWithParent();
  process.on('message', (request: Request) => {
    Promise.resolve()
      .then(() => answer(request))
      .then(
        (value) => tell({ value }),
        (error: unknown) => tell({ error: error instanceof Error ? error.message : String(error) }),
      );
  });
  tell({ value: 'ready' });
}

/** A server tells its port once it listens. */
export function tellPort(port: number): void {
  endWithParent();
  tell({ value: port });
}

function tell(reply: Reply<unknown>): void {
  process.send?.(reply);
}

function endWithParent(): void {
  process.once('disconnect', () => process.exit(0));
}
