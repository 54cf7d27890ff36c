/** Where in the source the values of an expression stand; used only when a trace is asked for. */
import {
  type Values,
  distinct,
  extensionName,
  same,
  truth,
  compileExpression,
} from './evaluate.ts';
import type { Expression } from './expression.ts';

export interface Located {
  value: unknown;
  /** `AllergyIntolerance/123#code.coding[1].code`. */
  path: string;
}

/** Where expressions begin: the focus and the variables, with their places. */
export interface LocatedScope {
  focus: readonly Located[];
  variable(name: string): readonly Located[];
  variables: Readonly<Record<string, Values>>;
}

/** The values of an expression in the order `compileExpression` gives them, each with its place. */
export function locate(expression: Expression, scope: LocatedScope): readonly Located[] {
  switch (expression.kind) {
    case 'focus':
      return scope.focus;
    case 'variable':
      return scope.variable(expression.name);
    case 'name':
      return locate(expression.of, scope).flatMap((one) => children(one, expression.name));
    case 'ext': {
      const wanted = extensionName(expression.name);
      return locate(expression.of, scope)
        .flatMap((one) => children(one, 'extension'))
        .filter(({ value }) => extensionName(String((value as { url?: unknown }).url)) === wanted);
    }
    case 'where': {
      const condition = compileExpression(expression.condition);
      return locate(expression.of, scope).filter(
        ({ value }) => truth(condition([value], scope.variables)) === true,
      );
    }
    case 'index':
      return locate(expression.of, scope).slice(expression.index, expression.index + 1);
    case 'skip':
      return locate(expression.of, scope).slice(expression.count);
    case 'call': {
      const found = locate(expression.of, scope);
      if (expression.call === 'first') return found.slice(0, 1);
      if (expression.call === 'last') return found.slice(-1);
      return expression.call === 'tail' ? found.slice(1) : [];
    }
    case 'binary': {
      if (expression.operator !== '|') return [];
      const both = [...locate(expression.left, scope), ...locate(expression.right, scope)];
      // What stands in several places comes from all of them.
      return distinct(both.map(({ value }) => value)).map((value) => {
        const places = both.filter((one) => same(one.value, value)).map(({ path }) => path);
        return { value, path: [...new Set(places)].join(', ') };
      });
    }
    default:
      return [];
  }
}

function children(parent: Located, name: string): Located[] {
  const { value, path } = parent;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
  const child = (value as Record<string, unknown>)[name];
  const here = path.endsWith('#') ? path + name : `${path}.${name}`;
  if (!Array.isArray(child)) {
    return child === null || child === undefined ? [] : [{ value: child, path: here }];
  }
  return child.flatMap((one: unknown, i) =>
    one === null || one === undefined ? [] : [{ value: one, path: `${here}[${i}]` }],
  );
}
