/** Fills in what a file of the configuration keeps elsewhere, and refuses what must not stand in it. */
import {
  type Surroundings,
  isSecretReference,
  resolveText,
  secretKeys,
  strings,
} from './values.ts';
import type { YamlFile } from './yaml.ts';

/** `https://user:password@host`: a secret in the middle of an address. */
const credentials = /^\w+:\/\/[^/\s:@]*:[^/\s@]+@/;

/**
 * Fill in `${env:NAME}` and `${file:/path}` everywhere but in secrets, which are read where they are
 * used. What cannot be filled in is a finding of the file.
 */
export function resolveAll(source: YamlFile, env: Surroundings): void {
  for (const { text, path } of strings(source.value)) {
    const error = (says: string, kind: 'wrongValue' | 'unresolved', next?: string) =>
      source.findings.push({ severity: 'error', where: source.where(path), says, kind, next });
    if (credentials.test(text)) {
      const says = `"${String(path.at(-1))}": a secret is never written here, not in an address either`;
      error(says, 'wrongValue', 'keep the whole address elsewhere: ${env:NAME} or ${file:/path}');
      continue;
    }
    if (!text.includes('${') || secretKeys.has(path.at(-1) ?? '')) continue;
    try {
      const holder = path
        .slice(0, -1)
        .reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown>)[step], source.value);
      (holder as Record<PropertyKey, unknown>)[path.at(-1) ?? ''] = resolveText(text, env);
    } catch (failed) {
      error((failed as Error).message, 'unresolved');
    }
  }
}

/** A value with no secret in it, whatever was written: a reference stays, anything else is covered. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, one]: [string, unknown]) => {
    if (typeof one !== 'string') return [key, withoutSecrets(one)];
    return [key, shownOf(key, one)];
  });
  return Object.fromEntries(entries) as object;
}

/** What may be shown of one text under a key. */
export function shownOf(key: PropertyKey, text: string): string {
  const isFile = key === 'privateKey' && !text.includes('-----');
  const isHidden = secretKeys.has(key) && !isSecretReference(text) && !isFile;
  return isHidden || credentials.test(text) ? '(a secret, not shown)' : text;
}
