/** The scenarios that can strike at any place: slow, silent, broken off, unreadable, too long. */
import type { Answer } from './http.ts';
import type { Scenario } from './scenarios.ts';

const html = { 'content-type': 'text/html' };
const badGateway = '<html><body><h1>502 Bad Gateway</h1></body></html>';

/** The answer as this scenario sends it; unchanged where the scenario is not one of the wire. */
export function spoilWire(answer: Answer, scenario: Scenario | undefined): Answer {
  switch (scenario?.name) {
    case 'slow':
      return { ...answer, delay: scenario.ms ?? 3000 };
    case 'hang':
    case 'reset':
    case 'cutShort':
    case 'truncatedGzip':
      return { ...answer, spoil: scenario.name };
    case 'notJson502':
      return { status: 502, headers: html, body: badGateway };
    case 'unavailable':
      return { status: 503, headers: html, body: '<html><body>503</body></html>' };
    case 'notJson':
      return { ...answer, status: 200, body: 'The record is being prepared.' };
    case 'empty':
      return { ...answer, status: 200, body: '' };
    case 'oversize':
      // White space is still JSON, and gzip makes it short: only what comes out is too long.
      return { ...answer, body: String(answer.body).padEnd(scenario.bytes ?? 25_000_000) };
    default:
      return answer;
  }
}
