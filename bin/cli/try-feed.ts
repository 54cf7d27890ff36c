/** `gatehouse mapping try --feed NAME MESSAGE`. */
import { join } from 'node:path';
import { FaultError } from '../../engine/faults.ts';
import { type Message, parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { nearest } from '../../engine/config/findings.ts';
import { exchangeName } from '../../engine/journal/journal.ts';
import { feedNames, loadFeed } from '../../engine/mapping/feed/load.ts';
import type { Told } from '../../engine/mapping/feed/scope.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { readInput } from './input.ts';
import { CommandError, print, say, style } from './output.ts';
import { siteFolder } from './site-folder.ts';

interface TryFeedOptions {
  site?: string;
  feed: string;
  trace?: boolean;
  output: Form;
}

/** Map an HL7 v2 message and print it, with `--trace` the rule and the source of each change. */
export async function tryFeed(file: string, options: TryFeedOptions): Promise<number> {
  const mappings = join(siteFolder(options.site), 'mappings');
  const known = feedNames(mappings);
  if (!known.includes(options.feed)) {
    const near = nearest(options.feed, known);
    const says = `there is no mapping feeds/${options.feed}.yaml${near ? `; did you mean "${near}"?` : ''}`;
    throw new CommandError(says, 'gatehouse mapping list', 'notFound');
  }
  const mapping = loadFeed(mappings, options.feed);
  const message = messageIn(file);
  const changes: Parameters<Told>[0][] = [];
  const now = new Date();
  const context = { exchange: exchangeName(now.getTime() * 1000), received: now };
  try {
    mapping.apply(message, context, (change) => changes.push(change));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const next = 'mend the rule, or the message; so it would be parked';
    throw new CommandError(error.fault.detail ?? error.message, next, exits.findings);
  }
  printOne(options.output, 'mapped', { text: segmentLines(message), changes }, () => {
    for (const line of segmentLines(message).split('\n')) {
      print(`${style('cyan', line.slice(0, 3))}${line.slice(3)}`);
    }
    for (const { target, rule, source } of options.trace ? changes : []) {
      // As it is in the end; a whole segment stands above.
      const value = target.includes('-') ? (message.raw(target) ?? '') : '';
      print(style('dim', `    ${target}${value && ` ${value}`} \u2190 ${source}  (${rule})`));
    }
  });
  say(`${changes.length} places were written; everything else kept its bytes`);
  return exits.ok;
}

function messageIn(file: string): Message {
  const bytes = readInput(file);
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new CommandError(
      `${file} is no HL7 v2 message`,
      'give one message, without MLLP framing',
      'inputUnreadable',
    );
  }
}
