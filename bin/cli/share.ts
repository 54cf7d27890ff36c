/**
 * How far work has come that is one long call and never lets the process hear a signal: the share
 * of it, on a terminal only. Ctrl-C ends the process at once, so it is for work that may end
 * anywhere; what is done in steps has `withProgress`.
 */

export interface Shown {
  /** @param share of it that is done, from 0 to 1; none where that is not known */
  at(what: string, share?: number): void;
  /** Take the line away again. */
  end(): void;
}

const everyMs = 100;

/** Progress on standard error; nothing where that is no terminal. */
export function showShare(stream: NodeJS.WriteStream = process.stderr): Shown {
  if (!stream.isTTY) return { at: () => {}, end: () => {} };
  let written = '';
  let last = -Infinity;
  return {
    at(what, share) {
      const now = performance.now();
      if (now - last < everyMs && written.startsWith(what)) return;
      last = now;
      const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
      const line = `${what}${percent}`;
      // Blanks and no escape sequence: whoever wants none gets none.
      stream.write(`\r${line.padEnd(written.length)}`);
      written = line;
    },
    end() {
      if (written !== '') stream.write(`\r${' '.repeat(written.length)}\r`);
      written = '';
    },
  };
}
