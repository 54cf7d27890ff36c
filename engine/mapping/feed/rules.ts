/** Compiles the rules of a feed mapping to closures over a message. */
import { type Condition, unmet } from '../../hl7/condition.ts';
import { parsePath } from '../../hl7/path.ts';
import { type Place, below } from '../library.ts';
import { type FeedEditor, RuleError } from './editor.ts';
import type { Names } from './load.ts';
import type { FeedRule, FeedValue } from './schema.ts';
import { type FeedContext, type Scope, resolve, scopesOf } from './scope.ts';
import { type Made, type ValueFunction, compileValue } from './values.ts';

/** A function that edits the whole message (`edit: ./file.ts#name`); it must be pure. */
export type EditFunction = (message: FeedEditor, context: FeedContext) => void;

/** One rule, applied. @throws FaultError preparationFailed, told by `names.fail` */
export type Applied = (scope: Scope) => void;

/** @param inEach the rule stands under an `each` */
export function compileRule(rule: FeedRule, at: Place, names: Names, inEach = false): Applied {
  const { when = {}, unless, each } = rule;
  if (each !== undefined) checkEach(each, below(at, 'each'), names);
  checkNumber(rule, at, names, inEach || each !== undefined);
  const act = compileAction(rule, at, names, inEach || each !== undefined);
  const where = names.rule(at);
  const once: Applied = (scope) => {
    try {
      if (holds(scope, when) && (!unless || !holds(scope, unless))) act(scope);
    } catch (error) {
      throw names.fail(where, error);
    }
  };
  if (each === undefined) return once;
  return (scope) => {
    for (const one of scopesOf(scope, each)) once(one);
  };
}

function holds(scope: Scope, condition: Condition): boolean {
  return unmet(scope.message, condition, (place) => resolve(scope, place)) === undefined;
}

function compileAction(rule: FeedRule, at: Place, names: Names, inEach: boolean): Applied {
  const where = names.rule(at);
  if (rule.set !== undefined) return compileSet(rule.set, rule, at, names);
  if (rule.copy !== undefined && rule.to !== undefined) {
    return compileCopy(rule.copy, rule.to, at, names);
  }
  if (rule.remove) {
    const places = rule.remove;
    return (scope) => {
      const editor = scope.editor(where, 'taken out');
      for (const place of places) editor.remove(resolve(scope, place));
    };
  }
  if (rule.add !== undefined) return compileAdd(rule, at, names);
  if (rule.edit !== undefined) {
    const name = rule.edit;
    const edit = names.function(name, below(at, 'edit')) as EditFunction | undefined;
    return (scope) => run(name, () => edit?.(scope.editor(where, name), scope.context));
  }
  const rules = (rule.rules ?? []).map((one, i) =>
    compileRule(one, below(at, 'rules', i), names, inEach),
  );
  return (scope) => rules.forEach((apply) => apply(scope));
}

function compileSet(target: string, rule: FeedValue, at: Place, names: Names): Applied {
  const make = valueOf(rule, at, names);
  const where = names.rule(at);
  return (scope) => write(scope, where, resolve(scope, target), make(scope));
}

function write(scope: Scope, rule: string, target: string, made: Made): void {
  if (made === 'keep') return;
  if (made === 'clear') return scope.editor(rule, 'nothing').remove(target);
  const editor = scope.editor(rule, made.source, made.missed);
  if (made.text === '') editor.remove(target);
  else editor.set(target, made.text);
}

function compileCopy(from: string, to: string, at: Place, names: Names): Applied {
  if (depth(from) < depth(to)) {
    names.report(below(at, 'to'), `${from} holds more than fits into ${to}`);
  }
  const where = names.rule(at);
  return (scope) => {
    const source = resolve(scope, from);
    const target = resolve(scope, to);
    const editor = scope.editor(where, `${source} as written`);
    const text = scope.message.raw(source);
    if (text) editor.setRaw(target, text);
    else editor.remove(target);
  };
}

/** 1 a field, 2 a repetition, 3 a component, 4 a sub-component. */
function depth(place: string): number {
  const { repetition, component, subcomponent } = parsePath(place);
  if (subcomponent !== undefined) return 4;
  if (component !== undefined) return 3;
  return repetition === undefined ? 1 : 2;
}

function compileAdd(rule: FeedRule, at: Place, names: Names): Applied {
  const { add = '', after, fields = {} } = rule;
  const where = names.rule(at);
  const values = Object.entries(fields).map(([field, value]) => ({
    field,
    where: names.rule(below(at, 'fields', field)),
    make: valueOf(value, below(at, 'fields', field), names),
  }));
  return (scope) => {
    const made = values.map(({ make, ...one }) => ({ ...one, value: make(scope) }));
    const behind = after === undefined ? undefined : lastOf(scope, resolve(scope, after));
    const segment = scope.editor(where, 'added').insert(add, behind);
    for (const one of made) {
      if (typeof one.value === 'object')
        write(scope, one.where, `${segment}-${one.field}`, one.value);
    }
  };
}

/** The last segment of this name, where no occurrence is named. */
function lastOf({ message }: Scope, segment: string): string {
  if (parsePath(segment).occurrence !== undefined) return segment;
  return `${segment}[${Math.max(1, message.count(segment))}]`;
}

function valueOf(rule: FeedValue, at: Place, names: Names): (scope: Scope) => Made {
  const { table, column = 'value', call } = rule;
  const found = table === undefined ? undefined : names.table(table, below(at, 'table'));
  const [row] = found?.rows.values() ?? [];
  if (row && row[column] === undefined) {
    names.report(below(at, 'column'), `tables/${table}.csv has no column "${column}"`);
  }
  const called = call === undefined ? undefined : names.function(call, below(at, 'call'));
  return compileValue(rule, { table: found, call: called as ValueFunction | undefined });
}

function checkEach(each: string, at: Place, names: Names): void {
  const { occurrence, field, repetition, component } = parsePath(each);
  if (repetition !== undefined || component !== undefined) {
    names.report(at, '"each" takes a segment or a field', 'write OBX, or PID-3');
  } else if (field === undefined && occurrence !== undefined) {
    names.report(at, '"each" takes the name of a segment', `write ${parsePath(each).segment}`);
  }
}

function checkNumber(rule: FeedRule, at: Place, names: Names, inEach: boolean): void {
  if (inEach) return;
  const values = [rule, ...Object.values(rule.fields ?? {})];
  if (values.some(({ from }) => from?.includes('%number'))) {
    names.report(at, '"%number" needs "each"', 'it says which one of "each" this is');
  }
}

function run(name: string, edit: () => void): void {
  try {
    edit();
  } catch (error) {
    if (error instanceof RuleError) throw error;
    // Its own words may quote the message.
    throw new RuleError(`${name} threw ${error instanceof Error ? error.name : typeof error}`, {
      cause: error,
    });
  }
}
