/** Which exchanges a command is about: the filters that all of them share. */
import { readFileSync } from 'node:fs';
import {
  type ExchangeId,
  type Filter,
  type Journal,
  type Progress,
} from '../../engine/journal/journal.ts';
import { faultNamed } from './fault-code.ts';
import { since } from './journals.ts';
import { CommandError } from './output.ts';

export interface SelectionOptions {
  channel?: string;
  state?: string;
  fault?: string;
  controlId?: string;
  nhs?: string;
  practice?: string;
  sender?: string;
  type?: string;
  since?: string;
  until?: string;
}

/** The filters as the journal understands them. @throws CommandError where a time is none */
export function filterOf(options: SelectionOptions): Filter {
  const { channel, controlId, sender, type } = options;
  if (sender !== undefined && !/^[^|]+\|[^|]+$/.test(sender)) {
    const next = "write MSH-3 and MSH-4 as 'MILLENNIUM|R0A', in quotes";
    throw new CommandError(`"${sender}" names no sender`, next, 'valueNotAllowed');
  }
  return {
    ...{ channel, controlId, sender, type },
    state: options.state as Progress | undefined,
    fault: options.fault === undefined ? undefined : faultNamed(options.fault),
    practice: options.practice?.toUpperCase(),
    patient: options.nhs === undefined ? undefined : numberOf(options.nhs),
    since: options.since === undefined ? undefined : since(options.since),
    until: options.until === undefined ? undefined : since(options.until),
  };
}

/** An NHS number as it is written, in groups or not; what was given is not repeated: it may be one. */
function numberOf(given: string): string {
  // Given as "-" it comes from stdin, so that it stays out of the shell's history.
  const number = (given === '-' ? readFileSync(0, 'utf8') : given).replace(/[\s-]/g, '');
  if (/^\d{10}$/.test(number)) return number;
  const says = '--nhs is no NHS number: it has ten digits, in groups or not';
  throw new CommandError(says, undefined, 'valueNotAllowed');
}

/** Read from the index at a time. */
const perPage = 5000;

/**
 * Every exchange that fits, oldest first; what persons did to destinations is none. Only their ids are
 * held, so that ten million of them take 80 MB.
 * @param most as many at most, the newest
 */
export async function everyId(
  journal: Pick<Journal, 'list'>,
  filter: Filter,
  most = Infinity,
): Promise<ExchangeId[]> {
  const found: ExchangeId[] = [];
  let { until } = filter;
  for (;;) {
    const page = await journal.list({ ...filter, until, limit: perPage });
    for (const { id, type } of page) if (type !== 'operator') found.push(id);
    const last = page.at(-1);
    if (!last || page.length < perPage || found.length >= most) break;
    until = last.id - 1;
  }
  return found.slice(0, most).reverse();
}
