/** The simplest values: text, a date in one of its formats, or a code by its table. */
import { FaultError } from '../faults.ts';
import type { Repetition } from '../hl7/segment.ts';
import { dateType, formatDate } from './dates.ts';
import { textOf } from './evaluate.ts';
import { type Library, type Made, type Place, below, findTable, ruleAt } from './library.ts';
import type { ValueRule } from './rules.ts';
import { type Scope, leave, warn } from './scope.ts';
import { type Table, missing } from './tables.ts';

/** One value a rule made. */
export interface Produced {
  /** Text, or the components of a repetition. */
  made: Made;
  /** HL7 type, where the rule says: CE, DT, TS or the name of a type in datatypes.yaml. */
  type?: string;
  /** Provenance by component (empty for the whole); nothing without a trace. */
  traces: readonly ComponentTrace[];
}

export interface ComponentTrace {
  component: string;
  rule: string;
  source: string;
}

const untraced: readonly ComponentTrace[] = [];

/** The provenance of a whole value; nothing, at no cost, where no trace is asked for. */
export function traceOf(scope: Scope, rule: string, source: string): readonly ComponentTrace[] {
  return scope.run.options.trace ? [{ component: '', rule, source }] : untraced;
}

/** Plain text, a date or a code. */
export function leafProducer(rule: ValueRule, place: Place, library: Library, label: string) {
  const at = ruleAt(place);
  const { format, prefix } = rule;
  const table = rule.table ? findTable(library, rule.table, below(place, 'table')) : undefined;
  const look = table && lookup(table, rule, label, at);
  return (value: unknown, source: string, scope: Scope): Produced | undefined => {
    if (Array.isArray(value))
      return { made: value as Repetition, traces: traceOf(scope, at, source) };
    const text = textOf(value);
    if (text === undefined) {
      if (value !== '') leave(scope, label, JSON.stringify(value), at, source);
      return undefined;
    }
    if (format) {
      const date = formatDate(text, format);
      if (!date || date.lossy) leave(scope, label, text, at, source);
      if (!date) return undefined;
      const made = (prefix ?? '') + date.text;
      return { made, type: dateType(date.text), traces: traceOf(scope, at, source) };
    }
    if (look) return look(text, source, scope);
    return {
      made: prefix === undefined ? text : prefix + text,
      traces: traceOf(scope, at, source),
    };
  };
}

/** A code by its table; an unknown one by the rule that stands beside the table. */
function lookup(table: Table, of: ValueRule, label: string, rule: string) {
  const { column = 'value', unknown = 'error' } = of;
  return (code: string, source: string, scope: Scope): Produced | undefined => {
    const row = table.rows.get(code);
    if (row) {
      return {
        made: row[column] ?? '',
        traces: traceOf(scope, rule, `${source} → ${table.where(code)}`),
      };
    }
    if (unknown === 'shown') return undefined;
    scope.run.missed?.push({ says: missing(table, code) });
    warn(scope.run, `${rule}: a code of ${label} is not in the table ${table.name}`);
    if (unknown === 'pass') return { made: code, traces: traceOf(scope, rule, source) };
    if (unknown === 'error') {
      const detail = `${rule}: ${label} holds a code that is not in the table ${table.name}`;
      throw new FaultError({ name: 'codeUnknown', detail });
    }
    leave(scope, label, code, rule, source);
    if (unknown === 'omit') return undefined;
    return {
      made: unknown.slice('default '.length),
      traces: traceOf(scope, rule, `${source} → default`),
    };
  };
}
