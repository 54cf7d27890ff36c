/** `gatehouse tap`: the messages of the running engine, as they end. */
import { readFileSync } from 'node:fs';
import type { TapLine } from '../../engine/watch/taps.ts';
import { runningEngine } from './engine.ts';
import { exits } from './exits.ts';
import { faultNamed } from './fault-code.ts';
import { maskSegments, recordReveal } from './mask.ts';
import { print, say, style } from './output.ts';
import { time } from './times.ts';
import { atMost } from './values.ts';

interface TapOptions {
  data: string;
  where?: string[];
  state?: string[];
  type?: string;
  fault?: string;
  content?: boolean;
  limit?: string;
  reveal?: boolean;
  reason?: string;
  output: 'table' | 'ndjson';
}

/**
 * Show messages until Ctrl-C, or until there were as many as were asked for.
 * @returns 69 where the engine ended
 */
export async function tap(channel: string | undefined, options: TapOptions): Promise<number> {
  const { reveal = false, reason = '' } = options;
  const most = options.limit === undefined ? Infinity : atMost(options.limit);
  const hangUp = new AbortController();
  const stop = () => hangUp.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const asked = {
    ...{
      channel,
      states: options.state,
      type: options.type,
      fault: options.fault === undefined ? undefined : faultNamed(options.fault),
    },
    where: (options.where ?? []).flatMap(conditions),
  };
  let [shown, dropped] = [0, 0];
  try {
    const lines = await runningEngine(options).lines<TapLine>('/v1/tap', asked, hangUp.signal);
    if (reveal) recordReveal(options.data, 'tap', reason, { channel });
    // What comes from now on is seen: a script waits for this line.
    say('looking; Ctrl-C ends it');
    for await (const line of lines) {
      if ('dropped' in line) {
        dropped += line.dropped;
        say(`${line.dropped} messages were left out: they came faster than they could be shown`);
        continue;
      }
      show(line, options);
      shown += 1;
      if (shown >= most) return end(exits.ok);
    }
    return hangUp.signal.aborted ? end(exits.ok) : end(exits.unavailable, 'the engine ended; ');
  } catch (error) {
    if (hangUp.signal.aborted) return end(exits.ok);
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }

  function end(code: number, why = ''): number {
    const left = dropped > 0 ? `, ${dropped} left out` : '';
    say(`${why}${shown} ${shown === 1 ? 'message' : 'messages'} shown${left}`);
    return code;
  }
}

/** A condition; "-" stands for those on standard input, out of the list of processes. */
function conditions(text: string): string[] {
  if (text !== '-') return [text];
  return readFileSync(0, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
}

function show(line: Exclude<TapLine, { dropped: number }>, options: TapOptions): void {
  const { message, at, ...known } = line;
  const content = options.content || options.reveal ? message : null;
  const text = content === null || options.reveal ? content : maskSegments(content);
  if (options.output === 'ndjson') {
    print(JSON.stringify({ ...known, at: time(at), ...(text !== null && { message: text }) }));
    return;
  }
  const { id, channel, type = '', state, fault, ms } = known;
  const colour = state === 'answered' ? 'green' : 'red';
  const told = [
    ...[time(at).slice(11, 23), id, channel, type, style(colour, state), `${ms.toFixed(1)} ms`],
    ...(fault === undefined ? [] : [fault]),
  ];
  print(told.join('  '));
  if (text !== null) print(`${text.replace(/^/gm, '    ')}\n`);
}
