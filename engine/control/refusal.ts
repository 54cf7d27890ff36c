/** Why a running engine does not do what it is asked to. */

/**
 * HTTP status of a refusal, as the client turns it into an exit code: 400 wrongly asked, 404 not
 * found, 409 not in this state, 500 failed, 501 another version, 503 not available now.
 */
export type RefusalStatus = 400 | 404 | 409 | 500 | 501 | 503;

/** An error that says what is wrong and the one next step. Its sentences hold no patient data. */
export class Refusal extends Error {
  readonly status: RefusalStatus;
  readonly next?: string;
  constructor(status: RefusalStatus, says: string, next?: string) {
    super(says);
    this.name = 'Refusal';
    this.status = status;
    this.next = next;
  }
}

/** No engine can be asked: none runs there, it is another user's, or it went away. */
export class NoEngine extends Refusal {
  constructor(says: string, next: string) {
    super(503, says, next);
  }
}
