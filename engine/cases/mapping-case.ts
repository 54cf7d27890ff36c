/**
 * A case of a mapping alone: `mapping: NAME` in the place of `channel: NAME`. What comes in is an HL7 v2
 * message (a feed mapping), or a FHIR Bundle or the name of its file (a record mapping); `== out` is
 * what the rules make of it.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { feedIn, mappingsIn } from '../config/compiled.ts';
import { ConfigError, nearest, shortPath } from '../config/yaml.ts';
import { FaultError, faults } from '../faults.ts';
import { parseFhir } from '../gp/json.ts';
import { datasets } from '../gp/port.ts';
import { standardDelimiters } from '../hl7/delimiters.ts';
import { encodeSegment } from '../hl7/encode.ts';
import { parseMessage } from '../hl7/message.ts';
import { segmentLines } from '../hl7/readable.ts';
import { exchangeName } from '../journal/journal.ts';
import { feedFolder, feedNames } from '../mapping/feed/load.ts';
import type { Written } from '../mapping/feed/scope.ts';
import type { Case } from './case.ts';
import { type Why, compareSection } from './compare.ts';
import type { Played } from './play.ts';
import { createReasons } from './reasons.ts';

/** What a mapping made of what came in. */
interface Made {
  out: string;
  why: Why;
}

/**
 * Play the exchanges of a case of a mapping.
 * @throws ConfigError where the case names a mapping that is not there, or the mapping is not sound
 */
export function playMapping(story: Case, { name, line }: { name: string; line: number }): Played {
  const mappings = mappingsOf(story.file);
  const where = `${shortPath(story.file)}:${line}`;
  const known = namesIn(mappings);
  if (!known.includes(name)) {
    const near = nearest(name, known);
    const says = `there is no mapping "${name}"${near ? `; did you mean "${near}"?` : ''}`;
    const next = `mappings known: ${known.join(', ') || 'none'}`;
    throw new ConfigError([{ severity: 'error', where, says, next }]);
  }
  const rules = new Set<string>();
  const make = name.startsWith(`${feedFolder}/`)
    ? byFeed(mappings, name.slice(feedFolder.length + 1), story, rules)
    : byRecord(join(mappings, name), story, rules);
  const results: Played['results'] = [];
  const differences: Played['differences'] = [];
  for (const [index, { in: given, out: expected }] of story.exchanges.entries()) {
    const { out, why } = attempted(() => make(given));
    results.push({ asked: '', out, delivered: '', journal: '' });
    if (expected === undefined) continue;
    for (const one of compareSection('out', expected, out, why)) {
      differences.push({ ...one, section: 'out', exchange: index + 1 });
    }
  }
  return { story, results, differences, steps: [], rules };
}

/** The nearest folder above the case that has mappings. */
function mappingsOf(file: string): string {
  for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'mappings', 'tables'))) return join(folder, 'mappings');
    if (folder === dirname(folder)) return join(dirname(resolve(file)), 'mappings');
  }
}

function namesIn(mappings: string): string[] {
  if (!existsSync(mappings)) return [];
  const folders = readdirSync(mappings).filter((one) =>
    existsSync(join(mappings, one, 'datatypes.yaml')),
  );
  return [...folders, ...feedNames(mappings).map((one) => `${feedFolder}/${one}`)];
}

/** What the rules refuse is what comes out, too: the fault, as it would be journalled. */
function attempted(make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { name, detail } = error.fault;
    return {
      out: `${[faults[name].code, detail].filter(Boolean).join(' ')}\n`,
      why: () => undefined,
    };
  }
}

function byRecord(folder: string, story: Case, rules: Set<string>): (given: string) => Made {
  const compiled = mappingsIn(folder);
  const reasons = createReasons();
  const mapper = reasons.mapper(folder, compiled);
  return (given) => {
    reasons.next();
    const options = {
      datasets: story.datasets ?? [...datasets],
      profile: 'rsp' as const,
      version: '2.4' as const,
      now: story.at,
    };
    // The mapper of a case maps at once.
    const record = mapper.map({ bundle: bundleOf(given, story) }, options, standardDelimiters);
    if (record instanceof Promise) throw new TypeError('a case is mapped where it is played');
    const segments = [...record.patient, ...record.datasets.flatMap((one) => one.segments)];
    for (const rule of reasons.used) rules.add(rule);
    return {
      out: segments.map((one) => `${encodeSegment(one, standardDelimiters)}\n`).join(''),
      why: (lines, index, field) => reasons.ofMapped(lines[index] ?? '', field),
    };
  };
}

function bundleOf(given: string, { file }: Case): unknown {
  const text = given.trim();
  return parseFhir(
    text.startsWith('{') ? text : readFileSync(resolve(dirname(file), text), 'utf8'),
  );
}

function byFeed(
  mappings: string,
  name: string,
  story: Case,
  rules: Set<string>,
): (given: string) => Made {
  const mapping = feedIn(mappings, name);
  const context = { exchange: exchangeName(story.at.getTime() * 1000), received: story.at };
  return (given) => {
    const message = parseMessage(Buffer.from(given.replaceAll('\n', '\r'), 'utf8'));
    const written = new Map<string, Written>();
    mapping.apply(message, context, (one) => {
      written.set(one.target, one);
      rules.add(one.rule);
    });
    return { out: `${segmentLines(message)}\n`, why: whyOf(written) };
  };
}

/** By the place that was written last. */
function whyOf(written: ReadonlyMap<string, Written>): Why {
  return (lines, index, field) => {
    const segment = lines[index]?.slice(0, 3) ?? '';
    const nth = lines.slice(0, index + 1).filter((line) => line.startsWith(segment)).length;
    const wanted = new RegExp(`^${segment}${nth > 1 ? `\\[${nth}\\]` : '(\\[1\\])?'}-${field}\\b`);
    const found = [...written.values()].findLast(({ target }) => wanted.test(target));
    return found && (found.missed ?? `${found.source}, ${found.rule}`);
  };
}
