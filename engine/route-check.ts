/**
 * The proof that a route always answers: every outcome of every effect leads somewhere, every
 * state can be reached, every way ends in an answer, and nothing goes round for ever.
 */
import { type Finding, type YamlFile, nearest } from './config/yaml.ts';
import { effects } from './effects.ts';
import type { RouteDefinition } from './route.ts';

/** All findings of a route, with their places in its file. */
export function checkRoute(source: YamlFile, definition: RouteDefinition): Finding[] {
  const findings: Finding[] = [];
  const { states } = definition;
  const names = Object.keys(states);
  const error = (path: PropertyKey[], says: string, next?: string, key = false) =>
    findings.push({ severity: 'error', where: source.where(path, key), says, next });

  const target = (path: PropertyKey[], name: string) => {
    if (name in states) return;
    const near = nearest(name, names);
    error(path, `there is no state "${name}"${near ? `; did you mean "${near}"?` : ''}`);
  };
  target(['start'], definition.start);

  for (const [name, state] of Object.entries(states)) {
    if ('end' in state) continue;
    const { outcomes } = effects[state.do];
    for (const outcome of outcomes) {
      if (outcome in state.on) continue;
      error(
        ['states', name, 'on'],
        `state "${name}" does not say what follows "${outcome}"`,
        `add "${outcome}: <state>"; the effect "${state.do}" can end so`,
        true,
      );
    }
    for (const [outcome, written] of Object.entries(state.on)) {
      const path = ['states', name, 'on', outcome];
      if (!(outcomes as readonly string[]).includes(outcome)) {
        const near = nearest(outcome, outcomes);
        error(
          path,
          `the effect "${state.do}" never ends with "${outcome}"${near ? `; did you mean "${near}"?` : ''}`,
          `its outcomes are ${outcomes.join(', ')}`,
          true,
        );
      }
      const choices = Array.isArray(written) ? written : [written];
      for (const choice of choices) if (typeof choice === 'string') target(path, choice);
      if (typeof choices.at(-1) !== 'string') {
        error(path, 'after the last retry there is no state to go to', 'end the list with a state');
      }
      if (choices.slice(0, -1).some((choice) => typeof choice === 'string')) {
        error(path, 'a state stands before another choice, so what follows it is never reached');
      }
    }
  }
  if (findings.length > 0) return findings;

  const reached = reachable(definition);
  for (const name of names) {
    if (!reached.has(name))
      error(['states', name], `state "${name}" is never reached`, undefined, true);
  }
  const loop = findLoop(definition);
  if (loop) {
    error(
      ['states', loop[0] ?? ''],
      `these states can follow each other for ever: ${loop.join(' \u2192 ')}`,
      'use "retry" with a count to repeat an effect',
      true,
    );
  }
  return findings;
}

/** The states a state can go to, retries aside. */
function followers(definition: RouteDefinition, name: string): string[] {
  const state = definition.states[name];
  if (!state || 'end' in state) return [];
  return Object.values(state.on)
    .flat()
    .filter((choice) => typeof choice === 'string');
}

function reachable(definition: RouteDefinition): Set<string> {
  const seen = new Set<string>();
  const walk = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    followers(definition, name).forEach(walk);
  };
  walk(definition.start);
  return seen;
}

function findLoop(definition: RouteDefinition): string[] | undefined {
  const done = new Set<string>();
  const walk = (name: string, path: string[]): string[] | undefined => {
    const from = path.indexOf(name);
    if (from >= 0) return [...path.slice(from), name];
    if (done.has(name)) return undefined;
    for (const next of followers(definition, name)) {
      const loop = walk(next, [...path, name]);
      if (loop) return loop;
    }
    done.add(name);
    return undefined;
  };
  return walk(definition.start, []);
}

/** The route as a Mermaid state diagram. */
export function mermaid(definition: RouteDefinition): string {
  const id = (name: string) => name.replace(/\W/g, '_');
  const lines = ['stateDiagram-v2', `  [*] --> ${id(definition.start)}`];
  for (const [name, state] of Object.entries(definition.states)) {
    if ('end' in state) {
      lines.push(`  ${id(name)} : ${name} \u00b7 answer ${state.end}`, `  ${id(name)} --> [*]`);
      continue;
    }
    lines.push(`  ${id(name)} : ${name} \u00b7 ${state.do}`);
    const by = new Map<string, string[]>();
    for (const [outcome, written] of Object.entries(state.on)) {
      for (const choice of Array.isArray(written) ? written : [written]) {
        const [to, label] =
          typeof choice === 'string'
            ? [choice, outcome]
            : [name, `${outcome}, ${choice.retry}\u00d7 after ${choice.after} ms`];
        by.set(to, [...(by.get(to) ?? []), label]);
      }
    }
    for (const [to, labels] of by)
      lines.push(`  ${id(name)} --> ${id(to)} : ${labels.join(' / ')}`);
  }
  return `${lines.join('\n')}\n`;
}
