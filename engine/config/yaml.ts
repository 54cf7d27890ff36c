/**
 * A YAML file with its positions. Every scalar stays the text that was written (YAML 1.2 failsafe
 * schema), so that codes such as `01`, `5E1` and `no` survive; the schema gives the types.
 */
import { readFileSync } from 'node:fs';
import {
  LineCounter,
  type Node,
  type Pair,
  isMap,
  isNode,
  isPair,
  isSeq,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { ConfigError, type Finding, nearest, shortPath } from './findings.ts';
import { wordsOf } from './issue-words.ts';

export { ConfigError, type Finding, nearest, shortPath } from './findings.ts';

export interface YamlFile {
  file: string;
  value: unknown;
  findings: Finding[];
  /** Position of the node at this path (of its key, when `key` is set). */
  where(path: readonly PropertyKey[], key?: boolean): string;
}

/**
 * Read and parse a YAML file.
 * @throws ConfigError when the file cannot be read
 */
export function readYaml(file: string, text = readText(file)): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const shown = shortPath(file);
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${shown}:${line}:${col}`;
  };
  const findings: Finding[] = document.errors.map((error) => ({
    severity: 'error',
    where: position(error.pos[0]),
    says: `this is not YAML: ${error.message.split('\n')[0]}`,
    kind: 'notYaml',
  }));
  const where = (path: readonly PropertyKey[], key = false) => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const [depth, step] of path.entries()) {
      const last = depth === path.length - 1;
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find(
          (item) => isPair(item) && String((item.key as Node & { value: unknown }).value) === step,
        );
        if (!pair) break;
        const at = last && key ? pair.key : (pair.value ?? pair.key);
        if (isNode(at) && at.range) offset = at.range[0];
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        if (isNode(node) && node.range) offset = node.range[0];
      } else break;
    }
    return position(offset);
  };
  const value = findings.length === 0 ? (document.toJS({ maxAliasCount: 100 }) as unknown) : null;
  return { file, value, findings, where };
}

/**
 * Check a YAML file against its schema.
 * @returns the typed value, or undefined with the findings that say why not
 */
export function checkYaml<S extends z.ZodType>(
  source: YamlFile,
  schema: S,
): { value?: z.output<S>; findings: Finding[] } {
  if (source.findings.length > 0) return { findings: source.findings };
  const result = schema.safeParse(source.value);
  if (result.success) return { value: result.data, findings: [] };
  return { findings: result.error.issues.flatMap((issue) => findingsOf(source, issue, schema)) };
}

function findingsOf(source: YamlFile, issue: z.core.$ZodIssue, schema: z.ZodType): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return {
        severity: 'error',
        where: source.where([...issue.path, key], true),
        says: `unknown key "${key}"${near ? `; did you mean "${near}"?` : ''}`,
        next: known.length ? `keys known here: ${known.join(', ')}` : undefined,
        kind: 'unknownKey',
      };
    });
  }
  const value = valueAt(source.value, issue.path);
  const isAbsent = value === undefined;
  const missing = isAbsent && ['invalid_type', 'invalid_union'].includes(issue.code);
  const name = issue.path.findLast((step) => typeof step === 'string') ?? 'file';
  return [
    {
      severity: 'error',
      where: source.where(missing ? issue.path.slice(0, -1) : issue.path),
      says: missing ? `"${name}" is missing` : `"${String(name)}": ${wordsOf(issue, value)}`,
      kind: missing ? 'missingKey' : 'wrongValue',
    },
  ];
}

/** The keys an object schema knows at a path, for suggestions. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const step of ['', ...path]) {
    const def = () => (at as { def?: Record<string, unknown> } | undefined)?.def;
    while (def()?.innerType || def()?.in) at = def()?.innerType ?? def()?.in;
    if (step === '') continue;
    const d = def();
    if (d?.shape) at = (d.shape as Record<string, unknown>)[String(step)];
    else at = d?.valueType ?? d?.element;
  }
  let d = (at as { def?: Record<string, unknown> } | undefined)?.def;
  while (d?.innerType || d?.in) d = ((d.innerType ?? d.in) as { def: Record<string, unknown> }).def;
  return d?.shape ? Object.keys(d.shape as object) : [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined | null)?.[step],
    value,
  );
}

/** The text of a configuration file. @throws ConfigError that says why it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([
      {
        severity: 'error',
        where: shortPath(file),
        says: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`,
        next: 'check the name and the permissions',
        kind: 'unreadable',
      },
    ]);
  }
}
