/** What was looked at, a line each. */
import { print, style } from '../output.ts';
import type { Check } from './check.ts';

export function tellChecks(rows: readonly Check[]): void {
  for (const { check, ok, says, next } of rows) {
    const mark = ok ? style('green', 'ok') : style('red', '!!');
    print(`${mark} ${check}: ${says}${next === undefined ? '' : `  → ${next}`}`);
  }
}
