/**
 * The simulator's own switches over HTTP, for people and for tests in another process:
 *
 *     GET    /_sim/scenarios
 *     PUT    /_sim/patients/{nhs}/scenario   "hang"   or   {"name":"slow","ms":5000,"first":2}
 *     DELETE /_sim/patients/{nhs}/scenario
 *
 * They answer callers on this machine only.
 */
import type { World } from './facts.ts';
import type { Answer, Request } from './http.ts';
import { readScenario, scenarios } from './scenarios.ts';
import type { Switchboard } from './scenarios.ts';

/** Answer a request below `/_sim/`. */
export function answerControl(request: Request, world: World, switchboard: Switchboard): Answer {
  if (!request.loopback) return reply(403, { error: 'Only callers on this machine may switch' });
  if (request.target === '/_sim/scenarios' && request.method === 'GET') {
    return reply(
      200,
      [...scenarios].map(([name, { at, says }]) => ({ name, at, says })),
    );
  }
  const [, nhsNumber] = /^\/_sim\/patients\/(\d+)\/scenario$/.exec(request.target) ?? [];
  if (nhsNumber === undefined) return reply(404, { error: 'There is no such switch' });
  if (!world.patients.has(nhsNumber)) return reply(404, { error: 'There is no such patient' });
  switch (request.method) {
    case 'PUT':
      try {
        switchboard.set(nhsNumber, readScenario(JSON.parse(request.body.toString('utf8'))));
      } catch (error) {
        return reply(400, { error: error instanceof Error ? error.message : String(error) });
      }
      return reply(200, switchboard.get(nhsNumber));
    case 'DELETE':
      switchboard.set(nhsNumber, undefined);
      return reply(200, {});
    case 'GET':
      return reply(200, switchboard.get(nhsNumber) ?? {});
    default:
      return reply(405, { error: 'Use GET, PUT or DELETE' });
  }
}

function reply(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  };
}
