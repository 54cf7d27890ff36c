/** Compiles how one value of a feed mapping is made. */
import { timestamp } from '../../hl7/ack.ts';
import { type Table, missing } from '../tables.ts';
import { RuleError } from './editor.ts';
import type { FeedValue } from './schema.ts';
import { type FeedContext, type Scope, resolve } from './scope.ts';

/** A value and where it came from; or what becomes of the place without one. */
export type Made =
  { text: string; source: string; /** Why no table gave it. */ missed?: string } | 'clear' | 'keep';

/**
 * A function of a feed mapping (`call: ./file.ts#name`): text from the values its rule found. It
 * must be pure; what it throws fails the message.
 */
export type ValueFunction = (
  values: readonly (string | undefined)[],
  context: FeedContext,
) => string | undefined;

/** What the rule names, found. */
export interface Named {
  table?: Table;
  call?: ValueFunction;
}

/** @param found what stands behind the names in the rule */
export function compileValue(rule: FeedValue, found: Named): (scope: Scope) => Made {
  const { value, from = [], join, column = 'value' } = rule;
  if (value !== undefined) return () => ({ text: value, source: 'a constant' });

  return (scope) => {
    const values = from.map((source) => read(scope, source));
    const valued = values.filter((one) => one !== undefined);
    let text = join === undefined ? valued[0] : valued.join(join) || undefined;
    let source =
      join === undefined
        ? shown(
            scope,
            from[
              Math.max(
                0,
                values.findIndex((one) => one !== undefined),
              )
            ] ?? '',
          )
        : from.map((one) => shown(scope, one)).join(', ');
    if (found.call) {
      text = called(found.call, values, scope.context, rule.call ?? '');
      source = `${from.map((one) => shown(scope, one)).join(', ')} by ${rule.call ?? ''}`;
    }
    if (text === undefined || text === '') return absent(rule.absent, source);
    if (!found.table) return { text, source };
    const row = found.table.rows.get(text);
    if (!row) return unknown(rule, text, source, missing(found.table, text));
    const through = `${source} through ${found.table.where(text)}`;
    const given = row[column] ?? '';
    return given === '' ? absent(rule.absent, through) : { text: given, source: through };
  };
}

function read(scope: Scope, source: string): string | undefined {
  if (source === '%exchange') return scope.context.exchange;
  if (source === '%received') return timestamp(scope.context.received);
  if (source === '%number') return String(scope.number ?? 1);
  return scope.message.get(resolve(scope, source));
}

const shown = (scope: Scope, source: string): string =>
  source.startsWith('%') ? source : resolve(scope, source);

function absent(rule = 'clear', source: string): Made {
  if (rule === 'clear' || rule === 'keep') return rule;
  if (rule === 'error') throw new RuleError(`${source} holds no value`);
  return { text: rule.replace(/^default /, ''), source: `the default, for ${source} holds none` };
}

function unknown(
  { unknown: rule = 'error', table }: FeedValue,
  text: string,
  source: string,
  missed: string,
): Made {
  if (rule === 'pass') return { text, source: `${source}, not in tables/${table}.csv`, missed };
  if (rule === 'omit') return { text: '', source: 'nothing', missed };
  if (rule === 'error')
    throw new RuleError(`${source} holds a code that is not in tables/${table}.csv`);
  const given = rule.replace(/^default /, '');
  return {
    text: given,
    source: `the default, for ${source} is not in tables/${table}.csv`,
    missed,
  };
}

function called(
  call: ValueFunction,
  values: readonly (string | undefined)[],
  context: FeedContext,
  name: string,
): string | undefined {
  let given: unknown;
  try {
    given = call(values, context);
  } catch (error) {
    // Its own words may quote the message.
    throw new RuleError(`${name} threw ${error instanceof Error ? error.name : typeof error}`, {
      cause: error,
    });
  }
  if (given === undefined || typeof given === 'string') return given;
  throw new RuleError(`${name} gave neither text nor undefined`);
}
