/** What is wrong with a value, in the words of the person who wrote the file: the schema library has its own. */
import type { z } from 'zod';

/** What the library says where the schema says nothing of its own. */
const generic = /^(?:Invalid (?:input|option|discriminator value)|Too small)/;

/** Said of what a file can hold; a number or a flag is a text to YAML as we read it. */
const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping (keys with values)',
  record: 'a mapping (keys with values)',
  array: 'a list',
  string: 'one value',
};

/** The sentence for one issue. @param value what stands there */
export function wordsOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (!generic.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `${kinds[issue.expected] ?? issue.expected} is needed, not ${kindOf(value)}`;
    case 'invalid_value':
      return `write ${choiceOf(issue.values.map(String))}`;
    case 'too_small':
      return issue.origin === 'array' ? 'at least one is needed' : issue.message;
    case 'invalid_union': {
      const named = Array.from(issue.message.matchAll(/'([^']+)'/g), ([, one = '']) => one);
      if (named.length > 0) return `write ${choiceOf(named)}`;
      const ways = issue.errors.flatMap(([first]) => (first ? [first] : []));
      // What fits the kind of value says more than that it is of another kind.
      const near = ways.filter(({ code }) => code !== 'invalid_type');
      const says = (near.length > 0 ? near : ways).map((one) => wordsOf(one, value));
      return [...new Set(says)].join('; or ') || issue.message;
    }
    default:
      return issue.message;
  }
}

function choiceOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined || value === '') return 'nothing';
  return typeof value === 'object' ? 'a mapping' : 'one value';
}
