/**
 * The conformance run: what the real PDS, SDS, Spine proxy and GP systems accept and refuse, rule by
 * rule. The test holds the simulators to it; docs/reference/simulator-conformance.md shows it.
 */
import { pdsAccess, tokenEndpoint } from './access.ts';
import { claims } from './claims.ts';
import { errors } from './errors.ts';
import { pds, sds } from './lookup.ts';
import { parameters } from './parameters.ts';
import { proxy, proxyOdd } from './proxy.ts';
import type { Part } from './row.ts';

export const parts: readonly Part[] = [
  tokenEndpoint,
  pdsAccess,
  pds,
  sds,
  proxy,
  proxyOdd,
  claims,
  parameters,
  errors,
];
