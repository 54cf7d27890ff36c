/** The kinds of value a channel file can hold: each reads the text of YAML and gives a typed value. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A whole number, written bare or quoted. */
export const whole = (from: number, to: number) =>
  z
    .union([z.int().min(from).max(to), z.string().regex(/^\d+$/, 'a whole number is needed')])
    .transform(Number)
    .refine((n) => n >= from && n <= to, `a whole number from ${from} to ${to} is needed`);

/** `yes`/`true` or `no`/`false`. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', 'yes', 'no'], 'write true or false')])
  .transform((v) => v === true || v === 'true' || v === 'yes');

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `250ms`, `15s`, `5m`, `12h`, `30d`; given in milliseconds. */
export const duration = z
  .string()
  .regex(
    /^\d+(ms|s|m|h|d)$/,
    'a duration is needed: a number with ms, s, m, h or d, for example 15s',
  )
  .transform((text) => {
    const [, number, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
    return Number(number) * units[unit as keyof typeof units];
  });

const sizes = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** A size such as `64KB` or `20MB`; given in bytes. */
export const size = z
  .string()
  .regex(/^\d+(B|KB|MB|GB)$/, 'a size is needed: a number with B, KB, MB or GB, for example 20MB')
  .transform((text) => {
    const [, number, unit] = /^(\d+)(\w+)$/.exec(text) ?? [];
    return Number(number) * sizes[unit as keyof typeof sizes];
  });

const pattern = /\$\{(env|file):([^}:]+)(?::-([^}]*))?\}/g;

/** Where `${env:}` and `${file:}` are looked up. */
export type Surroundings = Readonly<Record<string, string | undefined>>;

/** Text that may hold `${env:NAME}`, `${env:NAME:-default}` or `${file:/path}`. */
export const text = z.string().min(1, 'a value is needed');

/** The keys that hold secrets: resolved only where they are used, after the file has been checked. */
export const secretKeys: ReadonlySet<PropertyKey> = new Set([
  'apikey',
  'privateKey',
  'accessToken',
  'authorization',
]);

const reference = /^\$\{(env|file):[^}]+\}$/;

/** Whether a text says where a secret is, and nothing else. */
export const isSecretReference = (value: string): boolean => reference.test(value);

/** A secret: only ever `${env:NAME}` or `${file:/path}`, so that no channel file holds one. */
export const secret = z
  .string()
  .regex(reference, 'a secret is never written here: use ${env:NAME} or ${file:/path}');

/**
 * Resolve `${env:NAME}`, `${env:NAME:-default}` and `${file:/path}` in one text.
 * @throws Error that names the variable or file that is missing, never its content
 */
export function resolveText(value: string, env: Surroundings): string {
  return value.replace(pattern, (_, kind: string, name: string, fallback?: string) => {
    if (kind === 'env') {
      const found = env[name] ?? fallback;
      if (found === undefined) throw new Error(`the environment variable ${name} is not set`);
      return found;
    }
    try {
      return readFileSync(name, 'utf8').trimEnd();
    } catch {
      throw new Error(`the file ${name} cannot be read`);
    }
  });
}

/** Every string of a value with its path, in order. */
export function* strings(
  value: unknown,
  path: PropertyKey[] = [],
): Generator<{ text: string; path: PropertyKey[] }> {
  if (typeof value === 'string') yield { text: value, path };
  else if (value && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* strings(item, [...path, key]);
  }
}
