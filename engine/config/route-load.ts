/** Loads a route that a channel names, and holds the channel to what the route needs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Channel } from '../channel.ts';
import { type EffectName, effects } from '../effects.ts';
import { checkRoute } from '../route-check.ts';
import { type Route, routeSchema } from '../route.ts';
import { routeOf } from './compiled.ts';
import { type Finding, type YamlFile, checkYaml, nearest, readYaml } from './yaml.ts';

/** What each effect needs a channel to name. */
const needs: Partial<Record<EffectName, (channel: Channel) => string | undefined>> = {
  trace: (c) => (c.ask.trace ? undefined : 'ask.trace'),
  locate: (c) =>
    c.ask.locate || c.ask.practices || c.destinations[c.ask.record ?? '']?.kind === 'cdg'
      ? undefined
      : 'ask.locate or ask.practices',
  ask: (c) => (c.ask.record || c.ask.second ? undefined : 'ask.record'),
  map: (c) => (c.mapping ? undefined : 'mapping'),
};

/** The effects a route performs. */
export function performed({ definition }: Route): string[] {
  return Object.values(definition.states).flatMap((state) => ('do' in state ? [state.do] : []));
}

/** What a route can end in. */
export function endsOf({ definition }: Route): string[] {
  return Object.values(definition.states).flatMap((state) => ('end' in state ? [state.end] : []));
}

/**
 * Load a route.
 * @param root the folder that holds channels/
 * @param at where the channel names it
 * @param findings gets what is wrong with it, or with the channel for it
 * @returns undefined where it cannot be used
 */
export function loadRoute(
  root: string,
  name: string,
  channel: Channel,
  source: YamlFile,
  at: PropertyKey[],
  findings: Finding[],
): Route | undefined {
  const folder = join(root, 'channels', 'routes');
  const file = join(folder, `${name}.yaml`);
  const error = (says: string, next: string) =>
    findings.push({ severity: 'error', where: source.where(at), says, next });
  if (!existsSync(file)) {
    const known = existsSync(folder) ? readdirSync(folder).map((n) => n.replace('.yaml', '')) : [];
    const near = nearest(name, known);
    const meant = near ? `; did you mean "${near}"?` : '';
    error(`there is no route "${name}"${meant}`, `routes known: ${known.join(', ') || 'none'}`);
    return undefined;
  }
  const routeFile = readYaml(file);
  const checked = checkYaml(routeFile, routeSchema);
  const problems = checked.value ? checkRoute(routeFile, checked.value) : checked.findings;
  findings.push(...problems);
  if (!checked.value || problems.length > 0) return undefined;
  for (const state of Object.values(checked.value.states)) {
    if ('end' in state) continue;
    const missing = needs[state.do]?.(channel);
    if (!missing) continue;
    const does = effects[state.do].says;
    error(`route "${name}" has to ${does}, but the channel names no ${missing}`, `add ${missing}`);
  }
  return routeOf(checked.value);
}
