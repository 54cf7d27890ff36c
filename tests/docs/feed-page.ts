/** docs/reference/feed-mappings.md: every key of a feed mapping, from the schema that checks it. */
import { feedFile, feedRule } from '../../engine/mapping/feed/schema.ts';
import { code, table, written } from './markdown.ts';

/** Keys of a rule, under what they are for. */
const groups: Readonly<Record<string, string[]>> = {
  'What a rule does (one of these)': ['set', 'copy', 'remove', 'add', 'edit', 'rules'],
  'Where a value comes from': [
    ...['value', 'from', 'join', 'call', 'table', 'column', 'unknown', 'absent'],
  ],
  'What belongs to copy and add': ['to', 'after', 'fields'],
  'When, and how often': ['when', 'unless', 'each'],
};

interface Described {
  meta(): { description?: string } | undefined;
}

export function feedPage(): string {
  const shape = feedRule.shape as unknown as Record<string, Described>;
  const described = (keys: string[], of: Record<string, Described>) =>
    table(
      ['key', 'what it says'],
      keys.map((key) => [code(key), of[key]?.meta()?.description ?? '']),
    );
  const named = Object.values(groups).flat();
  const forgotten = Object.keys(shape).filter((key) => !named.includes(key));
  if (forgotten.length > 0) throw new Error(`feed-page.ts does not show ${forgotten.join(', ')}`);
  const parts = Object.entries(groups).map(
    ([title, keys]) => `### ${title}\n\n${described(keys, shape)}`,
  );
  const file = feedFile.shape as unknown as Record<string, Described>;
  return `${written('engine/mapping/feed/schema.ts')}
# Feed mappings

A feed mapping is one file \`mappings/feeds/NAME.yaml\`: HL7 v2 in, HL7 v2 out. An entry of \`deliver\` names it
(\`map: NAME\`), \`gatehouse check\` reports every finding with file:line:column, and
\`gatehouse mapping try --feed NAME MESSAGE --trace\` shows what it makes of a message, each change with its rule.
[An example](../examples/feeds/mappings/feeds/epr.yaml).

It works on the message as it came: what no rule touches keeps its bytes. A place (\`PID-3\`, \`PID-3[2].1\`,
\`OBX[3]-5\`) is written whole, whatever stood below it, escaped with the delimiters of the message and in
its character set (MSH-18). A rule that cannot be followed fails the message (GH-7008, with the rule);
\`refused.poison\` of the destination says what becomes of it.

${described(Object.keys(file), file)}
## Rules

A rule is applied in its turn to what the rules before it left. MSH-1, MSH-2 and MSH-18 cannot be written.
MSH-12 is a label: to write another version is to promise that the message keeps to it.

${parts.join('\n')}
## Functions

\`call: ./file.ts#name\` is given the values of \`from\` and what is known of the message
(\`{ exchange, received }\`), and gives text or undefined. \`edit: ./file.ts#name\` is given the message with
\`get\`, \`raw\`, \`count\`, \`repetitions\`, \`set\`, \`setRaw\`, \`remove\` and \`insert\`. Both must be pure: the same message
may be mapped again, after a failure or a crash. What they throw fails the message; their words are not kept,
for they may quote it.
`;
}
