/** `gatehouse channel test CHANNEL MESSAGE`: one message through a channel, and what each step does. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { type Case, readCase, updatedCase } from '../../engine/cases/case.ts';
import { patientsOf } from '../../engine/cases/files.ts';
import { type Played, playCase } from '../../engine/cases/play.ts';
import type { Provenance } from '../../engine/cases/reasons.ts';
import { type LoadedChannel, loadSite } from '../../engine/config/site.ts';
import { FaultError, faultByCode, faults } from '../../engine/faults.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { segmentLines } from '../../engine/hl7/readable.ts';
import { channelNamed } from './channel.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { readInput } from './input.ts';
import { CommandError, print, say, style } from './output.ts';

interface Step {
  step: string;
  outcome: string;
}

interface DryRun {
  channel: string;
  steps: Step[];
  /** The fields that a mapping set, each with its rule and its source; never a value. */
  fields: Provenance[];
  /** MSA-1 of the answer; null where there is none. */
  answer: string | null;
}

/**
 * Play one message. The simulated systems answer, and nothing is sent or stored. What is shown names
 * steps, fields, rules and faults; the message itself is not.
 * @returns 6 where the answer is negative
 */
export async function dryRun(
  root: string,
  name: string,
  file: string,
  options: { steps?: boolean; update?: boolean; output: Form },
): Promise<number> {
  const loaded = channelNamed(loadSite(root), name);
  const bytes = readInput(file);
  const story: Case = {
    ...{ file, title: 'a dry run', at: new Date(), scenarios: [], receivers: [] },
    ...{ accepts: [], ask: {}, push: {} },
    exchanges: [{ channel: name, line: 1, in: '', bytes }],
  };
  const played = await playCase(story, [loaded], patientsOf(root));
  const told = toldOf(name, bytes, played);
  const kept = options.update ? await keep(root, loaded, file, bytes) : undefined;
  printOne(options.output, 'dryRun', told, () => {
    tell(told, options.steps === true);
    const next = nextOf(played);
    if (next) say(`next: ${next}`);
    say('a dry run: the simulated systems answered, nothing was sent or stored');
    if (kept) say(`${kept} is written: read it, and say in its first line what it shows`);
  });
  return /^[AC]A$/.test(told.answer ?? '') ? exits.ok : exits.findings;
}

/** Make the message a case beside it, with what came of it. @returns its file */
async function keep(root: string, loaded: LoadedChannel, file: string, bytes: Buffer) {
  const name = join(dirname(file), `${basename(file, extname(file))}.case`);
  if (existsSync(name)) {
    const next = `gatehouse channel test ${name} --update`;
    throw new CommandError(`${name} is there already`, next, exits.failed);
  }
  const { channel } = loaded.channel;
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const text = `# ${basename(file)} on ${channel}\nchannel: ${channel}\nat: ${at}\n\n== in\n${segmentLines(parseMessage(bytes))}`;
  writeFileSync(name, text, { flag: 'wx' });
  const story = readCase(name);
  const { results } = await playCase(story, loadSite(root).channels, patientsOf(root));
  writeFileSync(name, updatedCase(text, story, results));
  return name;
}

/** What a refusal calls for. */
function nextOf({ results: [result] }: Played): string | undefined {
  const [, code] = /^rejected (\S+)$/m.exec(result?.journal ?? '') ?? [];
  return code === undefined ? undefined : faultByCode(code)?.next;
}

function toldOf(channel: string, bytes: Buffer, played: Played): DryRun {
  const { results, provenance, details } = played;
  const why = details?.[0] ?? [];
  const [result] = results;
  const { journal = '', out = '', delivered = '' } = result ?? {};
  const steps = lines(journal).map((line): Step => {
    const [step = '', ...rest] = line.split(' ');
    return step === 'received'
      ? { step: 'parse', outcome: parsed(bytes) }
      : { step, outcome: rest.map((word) => said(word, why)).join(' ') };
  });
  const sent = lines(delivered).filter((line) => !/^[A-Z][A-Z0-9]{2}\W/.test(line));
  for (const line of sent) {
    const [to = '', ...rest] = line.split(' ');
    steps.push({ step: `send ${to}`, outcome: rest.join(' ') });
  }
  const answer = /^MSA.(\w\w)/m.exec(out)?.[1] ?? null;
  return { channel, steps, fields: provenance?.[0] ?? [], answer };
}

/** What kind of message it is, and how long. */
function parsed(bytes: Buffer): string {
  try {
    const message = parseMessage(bytes);
    const type = [message.get('MSH-9.1'), message.get('MSH-9.2')].filter(Boolean).join('^');
    return `${type} ${message.get('MSH-12') ?? ''}, ${message.segmentNames().length} segments`;
  } catch (error) {
    if (error instanceof FaultError) return faults[error.fault.name].says;
    throw error;
  }
}

/** A fault with what it says, and where it lies. */
function said(word: string, why: readonly { fault: string; detail: string }[]): string {
  const found = faultByCode(word);
  if (!found) return word;
  const detail = why.find(({ fault }) => fault === word)?.detail;
  return `${word} ${found.says}${detail ? ` (${detail})` : ''}`;
}

function tell({ steps, fields, answer }: DryRun, all: boolean): void {
  const width = Math.max(...steps.map(({ step }) => step.length));
  for (const [i, { step, outcome }] of steps.entries()) {
    print(`${String(i + 1).padStart(2)} ${step.padEnd(width)}  ${outcome}`.trimEnd());
    if (step === 'map') tellFields(fields, all);
  }
  if (!steps.some(({ step }) => step === 'map')) tellFields(fields, all);
  print(`answer ${style('bold', answer ?? 'none')}`);
}

function tellFields(fields: readonly Provenance[], all: boolean): void {
  if (fields.length === 0) return;
  print(`   ${fields.length} fields set${all ? '' : '; --steps lists them'}`);
  if (!all) return;
  for (const { target, source, rule } of fields) {
    print(style('dim', `   ${target} \u2190 ${source}  (${rule})`));
  }
}

const lines = (text: string) => text.split('\n').filter(Boolean);
