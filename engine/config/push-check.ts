/** What the schema of a channel cannot say of its pushes, and the routes they take. */
import type { Channel } from '../channel.ts';
import { formOf } from '../push/forms.ts';
import type { Route } from '../route.ts';
import type { Push } from './push.ts';
import { endsOf } from './route-load.ts';

type Tell = (path: PropertyKey[], says: string, next?: string) => void;

/**
 * Check the pushes of a channel.
 * @param route the channel's own; undefined where it cannot be used
 * @param load loads a route by its name; told where the channel names it
 * @returns the routes of the pushes, by name
 */
export function loadPushes(
  channel: Channel,
  route: Route | undefined,
  load: (name: string, at: PropertyKey[]) => Route | undefined,
  error: Tell,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  if (route && endsOf(route).includes('compose')) {
    const says = `route "${channel.route}" ends in "compose", which answers nobody`;
    error(['route'], says, 'a channel answers what it takes; name this route in a push');
  }
  for (const [index, { push }] of channel.deliver.entries()) {
    if (!push) continue;
    const at = ['deliver', index, 'push'];
    checkPush(channel, push, (path, ...told) => error([...at, ...path], ...told));
    if (routes.has(push.route)) continue;
    const own = load(push.route, push.route === 'push' ? at : [...at, 'route']);
    if (!own) continue;
    routes.set(push.route, own);
    const answers = endsOf(own).filter((end) => end === 'record' || end === 'accepted');
    if (answers.length > 0 || !endsOf(own).includes('compose')) {
      const says = `route "${push.route}" ends in ${[...new Set(endsOf(own))].join(', ')}`;
      error(
        [...at, 'route'],
        says,
        'a push ends in "compose" or "fault": nobody waits for an answer',
      );
    }
  }
  return routes;
}

function checkPush({ accepts }: Channel, push: Push, error: Tell): void {
  const { offers } = formOf(push.as);
  for (const [index, dataset] of (push.datasets ?? []).entries()) {
    if (offers.includes(dataset)) continue;
    const says = `${push.as} has no place for ${dataset}`;
    error(['datasets', index], says, `it carries ${offers.join(', ')}`);
  }
  if (push.as === 'RDE^O11' && !push.orders) {
    error(
      [],
      'RDE^O11 requires an amount, a unit and a route in each order, which no GP record states, and "orders" does not say what stands there',
      'add orders: { timing: …, code: …, amount: …, units: …, route: … }: a clinical safety decision of the site',
    );
  }
  if (!push.events.some((event) => accepts.includes('ADT') || accepts.includes(`ADT^${event}`))) {
    const events = push.events.map((event) => `ADT^${event}`).join(', ');
    error(['events'], `this channel accepts none of ${events}, so that nothing sets off this push`);
  }
}
