/**
 * FHIRPath as a mapping writes it: simple expressions become closures, the rest goes to the
 * `fhirpath` package with the STU3 model. The package takes some 200 ms to load, so it is loaded
 * only when a mapping needs it.
 */
import { createRequire } from 'node:module';
import { FaultError } from '../faults.ts';
import { type Evaluate, type Values, compileExpression, ext, truth } from './evaluate.ts';
import { type Expression, parseExpression } from './expression.ts';

export interface Path {
  source: string;
  /** The rule it stands in, for faults. */
  rule: string;
  /** Undefined where the `fhirpath` package evaluates it. */
  expression?: Expression;
  values: Evaluate;
}

/**
 * Compile a FHIRPath expression. `ext('Name')` is added to the language: the extensions of this
 * name, whatever the base, prefix and version of their URL.
 * @param rule where it stands, for faults
 * @param variables names that may stand in it after `%`
 * @throws Error whose message says why the expression is not FHIRPath
 */
export function compilePath(source: string, rule: string, variables: Iterable<string> = []): Path {
  const expression = parseExpression(source);
  if (!expression && /\bresolve\s*\(/.test(source)) {
    throw new Error('resolve() can stand in simple expressions only');
  }
  const evaluate = expression
    ? compileExpression(expression)
    : compileWithPackage(source, variables);
  const values: Evaluate = (focus, named) => {
    try {
      return evaluate(focus, named);
    } catch (cause) {
      throw failed(rule, source, cause);
    }
  };
  return { source, rule, expression, values };
}

/** An expression that FHIRPath refuses to evaluate: the rule must be mended, nothing is guessed. */
function failed(rule: string, source: string, cause: unknown): FaultError {
  const detail = `${rule}: "${source}" cannot be evaluated over this record`;
  return new FaultError({ name: 'mappingFailed', detail }, { cause });
}

/** Whether a condition holds; nothing counts as no. */
export function holds(path: Path, focus: Values, variables: Readonly<Record<string, Values>>) {
  const values = path.values(focus, variables);
  try {
    return truth(values) === true;
  } catch (cause) {
    throw failed(path.rule, path.source, cause);
  }
}

interface FhirPathPackage {
  compile(
    source: string,
    model: unknown,
    options: { userInvocationTable: Record<string, unknown> },
  ): (input: unknown, variables: Record<string, unknown>) => unknown[];
}

let loaded: { fhirpath: FhirPathPackage; stu3: unknown } | undefined;

/** The same expression by the `fhirpath` package; also what the compiled ones are tested against. */
export function compileWithPackage(source: string, known: Iterable<string> = []): Evaluate {
  if (!loaded) {
    const require = createRequire(import.meta.url);
    loaded = {
      fhirpath: require('fhirpath') as FhirPathPackage,
      stu3: require('fhirpath/fhir-context/stu3'),
    };
  }
  const evaluate = loaded.fhirpath.compile(source, loaded.stu3, {
    userInvocationTable: { ext: { fn: ext, arity: { 1: ['String'] } } },
  });
  const names = [...known];
  return (focus, variables) => {
    // The package refuses a variable it has never heard of, where we mean nothing.
    const named = Object.fromEntries(names.map((name) => [name, [...(variables[name] ?? [])]]));
    return focus.length === 1 ? evaluate(focus[0], named) : evaluate([...focus], named);
  };
}
