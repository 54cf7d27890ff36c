/** One thing the doctor looked at. */
export interface Check {
  /** What was looked at: `node`, `port gp-record`. */
  check: string;
  ok: boolean;
  says: string;
  /** The one next step, where it is not as it should be. */
  next?: string;
}

/** It is as it should be. */
export const sound = (check: string, says: string): Check => ({ check, ok: true, says });

/** It is not. */
export const wrong = (check: string, says: string, next: string): Check => ({
  ...{ check, ok: false, says, next },
});
