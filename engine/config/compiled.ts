/**
 * Compiled mappings and routes, kept for as long as their files say the same: compiling a mapping
 * takes a second or more, in which a running engine would answer nobody, and what a route has explored
 * is not explored again.
 */
import { basename, dirname } from 'node:path';
import { type FeedMapping, loadFeed } from '../mapping/feed/load.ts';
import { type CompiledMappings, loadMappings } from '../mapping/load.ts';
import { type Route, type RouteDefinition, compileRoute } from '../route.ts';
import { revisionOf } from './revision.ts';

const routes = new Map<string, Route>();
/** By the name of the mapping: the same files anywhere are the same mapping. */
const kept = new Map<string, { revision: string; compiled: CompiledMappings }>();
const feeds = new Map<string, { revision: string; mapping: FeedMapping }>();

/**
 * The mapping in a folder, as `loadMappings` gives it.
 * @throws ConfigError with every finding, where there is any
 */
export function mappingsIn(folder: string): CompiledMappings {
  // Tables and parts may stand beside it.
  const all = dirname(folder);
  const revision = revisionOf(dirname(all), [basename(all)]);
  const name = basename(folder);
  const known = kept.get(name);
  if (known?.revision === revision) return known.compiled;
  const compiled = loadMappings(folder);
  kept.set(name, { revision, compiled });
  return compiled;
}

/**
 * A feed mapping, as `loadFeed` gives it.
 * @param mappings the folder of all mappings
 * @throws ConfigError with every finding, where there is any
 */
export function feedIn(mappings: string, name: string): FeedMapping {
  const revision = revisionOf(dirname(mappings), [basename(mappings)]);
  const key = `${mappings}\0${name}`;
  const known = feeds.get(key);
  if (known?.revision === revision) return known.mapping;
  const mapping = loadFeed(mappings, name);
  feeds.set(key, { revision, mapping });
  return mapping;
}

/** The route of a definition, as `compileRoute` gives it. Check the definition first. */
export function routeOf(definition: RouteDefinition): Route {
  const text = JSON.stringify(definition);
  const route = routes.get(text) ?? compileRoute(definition);
  routes.set(text, route);
  return route;
}
