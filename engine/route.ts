/**
 * A route: a statechart in YAML, run by xstate through its pure transition functions. A route does
 * no I/O: it says which effect comes next, the exchange performs it and feeds the outcome back.
 *
 * Guards are bounded counters only, so every route is finite, and each step is asked of xstate once: the
 * results are a table of its states and events, and the table is what runs (a step costs well under a
 * microsecond instead of about a hundred); a test holds it equal to `transition()`.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  createMachine,
  initialTransition,
  transition,
} from 'xstate';
import { z } from 'zod';
import { duration, whole } from './config/values.ts';
import { type EffectName, type EndName, effects, ends } from './effects.ts';

const names = <T extends object>(table: T) =>
  Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];

const choice = z.union([
  z.string(),
  z.strictObject({
    retry: whole(1, 10).meta({ description: 'how often the effect is tried again' }),
    after: duration.meta({ description: 'how long to wait before' }),
  }),
]);

export const routeSchema = z.strictObject({
  route: z.string().meta({ description: 'name of the route' }),
  version: z.string().meta({ description: 'changed with the route; journalled with every step' }),
  start: z.string().meta({ description: 'the first state' }),
  states: z
    .record(
      z.string(),
      z.union([
        z.strictObject({
          do: z.enum(names(effects)).meta({ description: 'the effect this state performs' }),
          on: z.record(z.string(), z.union([choice, z.array(choice).min(1)])),
        }),
        z.strictObject({
          end: z.enum(names(ends)).meta({ description: 'the answer given' }),
        }),
      ]),
    )
    .meta({ description: 'a state performs an effect, or ends the route' }),
});
export type RouteDefinition = z.output<typeof routeSchema>;
type Choice = z.output<typeof choice>;

/** What comes next: an effect to perform, or the end. */
export type Next =
  | { do: EffectName; state: string; attempt: number; waitMs?: number }
  | { end: EndName; state: string };

export interface Route {
  name: string;
  version: string;
  definition: RouteDefinition;
  /** Key of the first configuration. */
  start: string;
  /** What to do in a configuration. @throws RangeError for an unknown key */
  at(key: string): Next;
  /** The configuration after an outcome; the same key when the route ignores it. */
  decide(key: string, outcome: string): string;
  /** Every configuration, with the outcomes it reacts to. */
  table: ReadonlyMap<string, { next: Next; on: ReadonlyMap<string, string> }>;
}

interface Context {
  attempts: Record<string, number>;
}

/** The xstate machine of a route definition. Its only actions are `perform` and counting attempts. */
export function machineOf(definition: RouteDefinition): AnyStateMachine {
  const states: Record<string, object> = {};
  const perform = (params: object) => ({ type: 'perform', params });
  for (const [name, state] of Object.entries(definition.states)) {
    if ('end' in state) {
      states[name] = { type: 'final', entry: perform({ end: state.end, state: name }) };
      continue;
    }
    const on: Record<string, object[]> = {};
    for (const [outcome, written] of Object.entries(state.on)) {
      on[outcome] = choices(written).map((choice) => {
        if (typeof choice === 'string') return { target: choice };
        const waiting = `${name} (waiting ${choice.after} ms)`;
        states[waiting] = {
          entry: perform({ do: 'wait', state: waiting, waitMs: choice.after }),
          on: { elapsed: name, timeout: choices(state.on.timeout ?? []).at(-1) },
        };
        return {
          target: waiting,
          guard: ({ context }: { context: Context }) =>
            (context.attempts[name] ?? 0) < choice.retry,
          actions: assign({
            attempts: ({ context }: { context: Context }) => ({
              ...context.attempts,
              [name]: (context.attempts[name] ?? 0) + 1,
            }),
          }),
        };
      });
    }
    states[name] = { entry: perform({ do: state.do, state: name }), on };
  }
  return createMachine({
    id: definition.route,
    initial: definition.start,
    context: { attempts: {} } satisfies Context,
    states,
  } as Parameters<typeof createMachine>[0]);
}

const choices = (written: Choice | Choice[]): Choice[] =>
  Array.isArray(written) ? written : [written];

/** A configuration that was come to. */
interface Row {
  next: Next;
  /** What became of the outcomes that have been told, where it reacts to them. */
  on: Map<string, string>;
  snapshot: AnyMachineSnapshot;
}

interface Action {
  type: string;
  params?: unknown;
}

/** The key of a configuration: its state and how often each effect has been retried. */
export function keyOf(snapshot: { value: unknown; context: unknown }): string {
  const attempts = Object.entries((snapshot.context as Context).attempts);
  return [String(snapshot.value), ...attempts.map(([name, n]) => `${name}=${n}`).sort()].join(' ');
}

/**
 * The route of a definition. A configuration is explored when it is first come to, all of them when the
 * table is asked for. Check the definition first: see `route-check`.
 */
export function compileRoute(definition: RouteDefinition): Route {
  const machine = machineOf(definition);
  const rows = new Map<string, Row>();
  let start: string | undefined;
  let explored = false;

  function enter(snapshot: AnyMachineSnapshot, actions: Action[]): string {
    const key = keyOf(snapshot);
    if (rows.has(key)) return key;
    const performed = actions.find((action) => action.type === 'perform');
    const next = { ...(performed?.params as Next) };
    const attempts = (snapshot.context as Context).attempts[next.state] ?? 0;
    if ('do' in next) next.attempt = attempts + 1;
    rows.set(key, { next, on: new Map(), snapshot });
    return key;
  }

  const first = () => (start ??= enter(...initialTransition(machine)));

  function rowAt(key: string): Row {
    // A key of an earlier process may not have been come to in this one.
    const row = rows.get(key) ?? explore().get(key);
    if (!row) throw new RangeError(`route ${definition.route} has no configuration "${key}"`);
    return row;
  }

  function decide(key: string, outcome: string): string {
    const { next, on, snapshot } = rowAt(key);
    const known = on.get(outcome);
    if (known !== undefined || 'end' in next) return known ?? key;
    const [after, then] = transition(machine, snapshot as never, { type: outcome } as never);
    if (then.length === 0) return key;
    const to = enter(after, then);
    on.set(outcome, to);
    return to;
  }

  function explore(): ReadonlyMap<string, Row> {
    first();
    // A map that grows meanwhile is walked to its last end.
    for (const [key, { next }] of explored ? [] : rows) {
      if ('do' in next) for (const outcome of effects[next.do].outcomes) decide(key, outcome);
    }
    explored = true;
    return rows;
  }

  return {
    name: definition.route,
    version: definition.version,
    definition,
    get start() {
      return first();
    },
    get table() {
      return explore();
    },
    at: (key) => rowAt(key).next,
    decide,
  };
}

/** Every way from the start to an end, as the states passed. */
export function pathsOf(route: Route): string[][] {
  const paths: string[][] = [];
  const walk = (key: string, path: string[]) => {
    const { next, on } = at(key);
    const here = [...path, next.state];
    if ('end' in next) paths.push(here);
    for (const [outcome, to] of on) walk(to, [...here, outcome]);
  };
  const at = (key: string) => {
    const row = route.table.get(key);
    if (!row) throw new RangeError(`no configuration "${key}"`);
    return row;
  };
  walk(route.start, []);
  return paths;
}

/** JSON Schema of a route, for editors. */
export const routeJsonSchema = (): object =>
  z.toJSONSchema(routeSchema, { io: 'input', unrepresentable: 'any' });
