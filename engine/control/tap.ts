/** The route of `gatehouse tap`: the messages of a running engine, as they end. */
import { z } from 'zod';
import { nearest } from '../config/yaml.ts';
import type { Engine } from '../engine.ts';
import { progressStates } from '../journal/journal.ts';
import { type Where, readWhere } from '../hl7/where.ts';
import type { Tapped } from '../watch/taps.ts';
import { Refusal } from './refusal.ts';
import { type Route, route } from './router.ts';

const asked = z.strictObject({
  channel: z.string().optional(),
  states: z.array(z.enum(progressStates)).optional(),
  type: z.string().optional(),
  fault: z.string().optional(),
  /** `PID-3=*123`, `PV1-2!=I` */
  where: z.array(z.string()).max(20).default([]),
});

/** The answer is lines of JSON (`TapLine`) until either side hangs up. */
export function tapRoutes({ taps, channels }: Engine): Route[] {
  return [
    route('POST', '/v1/tap', asked, ({ where, ...of }) => {
      if (of.channel !== undefined && !channels.has(of.channel)) {
        const near = nearest(of.channel, [...channels.keys()]);
        const says = `no channel "${of.channel}" runs${near ? `; did you mean "${near}"?` : ''}`;
        throw new Refusal(404, says, 'gatehouse status');
      }
      const tapped: Tapped = { ...of, where: where.map(condition) };
      try {
        return { body: taps.open(tapped) };
      } catch (error) {
        // Errors of places name the place and why; what it is compared with is not quoted.
        throw new Refusal(400, (error as Error).message);
      }
    }),
  ];
}

function condition(text: string): Where {
  const where = readWhere(text);
  if (where) return where;
  throw new Refusal(400, 'a condition needs a place and a text', "write it as 'PID-3=*123'");
}
