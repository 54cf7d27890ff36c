/** docs/reference/simulator-conformance.md: the rules the simulators are held to, from their table. */
import { parts } from '../simulator/conformance/parts.ts';
import { code, table, written } from './markdown.ts';

export function conformancePage(): string {
  const sections = parts.map(({ title, clause, system, rows }) => {
    const lines = rows.map((row) => [row.sent, String(row.status), row.code && code(row.code)]);
    const told = system ? `\n\nErrors are coded in \`${system}\`.` : '';
    return `## ${title}\n\n${clause}.${told}\n\n${table(['what is sent', 'HTTP', 'code'], lines)}`;
  });
  return `${written('tests/simulator/conformance/')}
# What the simulators accept and refuse

\`gatehouse sim gp\` refuses what PDS, SDS, the Spine proxy and GP systems refuse, in the same code.
Each row is a rule of theirs and one request of the conformance run (\`npm test\`), which holds the
simulators to it. A token is asked for only where an application is registered
(\`gatehouse sim gp --application\`), an API key only where one is given (\`--sds-apikey\`).

${sections.join('\n')}`;
}
