/** The changes between two configurations, as people read them. */
import type { Change } from '../../engine/config/difference.ts';
import { print, style } from './output.ts';

/** Of more changes of one thing only their number is told. */
const most = 20;

/** Print changes, those of one thing together. */
export function printChanges(changes: readonly Change[]): void {
  const groups = new Map<string, Change[]>();
  for (const one of changes) groups.set(one.of, [...(groups.get(one.of) ?? []), one]);
  for (const [of, own] of groups) {
    if (own.length > most) print(`${style('bold', of)}  ${countOf(own)} (-o json lists them)`);
    else for (const one of own) print(lineOf(one));
  }
}

/** `adt-feed/epr timeout 10s → 20s` */
function lineOf({ of, key, change, before, after }: Change): string {
  const name = `${style('bold', of)}${key ? ` ${key}` : ''}`;
  if (before === null && after === null) return `${name}  ${change}`;
  if (before === null) return `${name}  ${style('green', `+ ${after}`)}`;
  if (after === null) return `${name}  ${style('red', `- ${before}`)}`;
  return `${name}  ${style('red', before)} → ${style('green', after)}`;
}

function countOf(changes: readonly Change[]): string {
  const count = (kind: Change['change']) => changes.filter(({ change }) => change === kind).length;
  return `+${count('added')} ~${count('changed')} -${count('removed')}`;
}

/** How many, in a sentence. */
export const countOfChanges = (count: number): string =>
  count === 1 ? '1 change' : `${count} changes`;
