/**
 * The part of FHIRPath (N1, http://hl7.org/fhirpath) that is compiled to closures: element names,
 * `[n]`, `where`, `exists`, `empty`, `not`, `first`, `last`, `tail`, `skip`, `resolve`, `ext`,
 * `%variables`, text and true/false, `|`, `=`, `!=`, `in`, `and`, `or`. What is not understood here, or would not
 * mean exactly what FHIRPath says, gives undefined and is left to the `fhirpath` package.
 */
export type Expression =
  | { kind: 'focus' }
  | { kind: 'variable'; name: string }
  | { kind: 'literal'; value: string | boolean }
  | { kind: 'nothing' }
  | { kind: 'name'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; index: number }
  | { kind: 'skip'; of: Expression; count: number }
  | { kind: 'ext'; of: Expression; name: string }
  | { kind: 'call'; of: Expression; call: Call }
  | { kind: 'where'; of: Expression; condition: Expression }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression };

export type Call = 'exists' | 'empty' | 'not' | 'first' | 'last' | 'tail' | 'resolve';
export type Operator = '|' | '=' | '!=' | 'in' | 'and' | 'or';

const calls: ReadonlySet<string> = new Set('exists empty not first last tail resolve'.split(' '));

/** Loosest first (FHIRPath §6.8). */
const levels: readonly (readonly Operator[])[] = [['or'], ['and'], ['in'], ['=', '!='], ['|']];

/**
 * Elements whose type FHIR leaves open (`onset[x]`): FHIRPath finds `onsetDateTime` under `onset`,
 * which needs the STU3 model. `value` is a plain element everywhere but in an extension.
 */
const openTypes: ReadonlySet<string> = new Set(
  'abatement asNeeded deceased dose effective medication multipleBirth occurrence onset performed product rate timing'.split(
    ' ',
  ),
);

/** Where one of these names is that of an element with one type. */
const plainBelow: ReadonlySet<string> = new Set(['reaction.onset']);

/** Elements that hold dates, which FHIRPath compares by precision and not as text. */
const dates =
  /(Date|DateTime|Time|Instant|Period|Quantity)$|^(date|birthDate|authoredOn|issued|time|start|end|lastUpdated|lastOccurrence|value)$/;

const token =
  /\s*(?:(%?[A-Za-z_][A-Za-z0-9_]*)|'((?:[^'\\]|\\['\\])*)'|(\d+(?![.\w]))|(!=|[.()[\]{}|=,$]))/y;

type Token = { name: string } | { text: string } | { number: number } | { sign: string };

class NotSimple extends Error {}

/** Read an expression; undefined where it is not of the simple kind. */
export function parseExpression(source: string): Expression | undefined {
  try {
    const parser = createParser(tokens(source));
    return parser();
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

function tokens(source: string): Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.trimEnd().length) {
    const match = token.exec(source);
    if (!match) throw new NotSimple();
    const [, name, text, number, sign] = match;
    if (name !== undefined) found.push({ name });
    else if (text !== undefined) found.push({ text: text.replace(/\\(.)/g, '$1') });
    else if (number !== undefined) found.push({ number: Number(number) });
    else found.push({ sign: sign ?? '' });
  }
  return found;
}

function createParser(list: Token[]): () => Expression {
  let at = 0;
  const peek = (): Token | undefined => list[at];
  const isSign = (sign: string) => {
    const next = peek();
    return next !== undefined && 'sign' in next && next.sign === sign;
  };
  const take = (sign: string) => {
    if (!isSign(sign)) throw new NotSimple();
    at++;
  };

  function operation(level: number): Expression {
    const operators = levels[level];
    if (!operators) return path();
    let left = operation(level + 1);
    for (;;) {
      const next = peek();
      const word = next && ('sign' in next ? next.sign : 'name' in next ? next.name : '');
      const operator = operators.find((one) => one === word);
      if (!operator) return left;
      at++;
      left = { kind: 'binary', operator, left, right: operation(level + 1) };
      if (operator === '=' || operator === '!=') comparable(left);
    }
  }

  function path(): Expression {
    let of = start();
    for (;;) {
      if (isSign('.')) {
        at++;
        of = step(of);
      } else if (isSign('[')) {
        at++;
        const next = peek();
        if (!next || !('number' in next)) throw new NotSimple();
        at++;
        take(']');
        of = { kind: 'index', of, index: next.number };
      } else return of;
    }
  }

  function start(): Expression {
    const next = peek();
    if (!next) throw new NotSimple();
    if ('text' in next) {
      at++;
      return { kind: 'literal', value: next.text };
    }
    if ('name' in next) {
      if (next.name === 'true' || next.name === 'false') {
        at++;
        return { kind: 'literal', value: next.name === 'true' };
      }
      if (next.name.startsWith('%')) {
        at++;
        // `%context` and `%ucum` are FHIRPath's own.
        if (next.name === '%context' || next.name === '%ucum') throw new NotSimple();
        return { kind: 'variable', name: next.name.slice(1) };
      }
      // A capital begins a type name, which needs the model.
      if (/^[A-Z]/.test(next.name)) throw new NotSimple();
      return step({ kind: 'focus' });
    }
    if (isSign('$')) {
      at++;
      const word = peek();
      if (!word || !('name' in word) || word.name !== 'this') throw new NotSimple();
      at++;
      return { kind: 'focus' };
    }
    if (isSign('{')) {
      at++;
      take('}');
      return { kind: 'nothing' };
    }
    take('(');
    const inner = operation(0);
    take(')');
    return inner;
  }

  function step(of: Expression): Expression {
    const next = peek();
    if (!next || !('name' in next) || next.name.startsWith('%')) throw new NotSimple();
    const { name } = next;
    at++;
    if (!isSign('(')) {
      const isOpen =
        name === 'value'
          ? of.kind === 'ext'
          : openTypes.has(name) && !plainBelow.has(`${lastName(of)}.${name}`);
      // Elements are read as plain properties: no name that every object inherits.
      if (isOpen || name in Object.prototype) throw new NotSimple();
      return { kind: 'name', of, name };
    }
    at++;
    if (isSign(')')) {
      at++;
      if (!calls.has(name)) throw new NotSimple();
      return { kind: 'call', of, call: name as Call };
    }
    const argument = peek();
    if (name === 'ext' && argument && 'text' in argument) {
      at++;
      take(')');
      return { kind: 'ext', of, name: argument.text };
    }
    if (name === 'skip' && argument && 'number' in argument) {
      at++;
      take(')');
      return { kind: 'skip', of, count: argument.number };
    }
    if (name !== 'where' && name !== 'exists') throw new NotSimple();
    const condition = operation(0);
    take(')');
    const kept: Expression = { kind: 'where', of, condition };
    return name === 'where' ? kept : { kind: 'call', of: kept, call: 'exists' };
  }

  return () => {
    const whole = operation(0);
    if (at < list.length) throw new NotSimple();
    return whole;
  };
}

/** Only what both sides surely hold as text or true/false is compared here. */
function comparable(expression: Expression): void {
  if (expression.kind !== 'binary') return;
  for (const side of [expression.left, expression.right]) {
    const last = lastName(side);
    if (last !== undefined && dates.test(last)) throw new NotSimple();
  }
}

function lastName(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'name':
      return expression.name;
    case 'index':
    case 'skip':
    case 'where':
      return lastName(expression.of);
    case 'call':
      return ['first', 'last', 'tail'].includes(expression.call)
        ? lastName(expression.of)
        : undefined;
    default:
      return undefined;
  }
}
