/** Which outcomes of a route's states the cases walk, and which nobody has shown yet. */
import type { Route } from '../route.ts';

export interface RouteCoverage {
  route: string;
  /** Outcomes of states, each `state outcome`. */
  walked: number;
  of: number;
  missing: string[];
}

/** One step of an exchange: in which state of which route, and how the effect ended. */
export interface Step {
  route: string;
  state: string;
  outcome: string;
}

/** The name of a state outcome: `ask transient`. */
const named = (state: string, outcome: string) => `${state} ${outcome}`;

/** What of each route was walked. A state that is tried again counts once. */
export function coverageOf(routes: readonly Route[], steps: readonly Step[]): RouteCoverage[] {
  return [...new Map(routes.map((route) => [route.name, route])).values()].map((route) => {
    const all = new Set<string>();
    for (const { next, on } of route.table.values()) {
      for (const outcome of on.keys()) all.add(named(next.state, outcome));
    }
    const walked = new Set(
      steps
        .filter((step) => step.route === route.name)
        .map(({ state, outcome }) => named(state, outcome)),
    );
    const missing = [...all].filter((outcome) => !walked.has(outcome));
    return { route: route.name, walked: all.size - missing.length, of: all.size, missing };
  });
}
