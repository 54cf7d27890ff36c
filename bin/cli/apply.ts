/** `gatehouse config apply`: the configuration of the running engine, read again. */
import type { Applied } from '../../engine/channels.ts';
import type { Finding } from '../../engine/config/findings.ts';
import { exits } from './exits.ts';
import { runningEngine } from './engine.ts';
import { type Form, printOne } from './form.ts';
import { say } from './output.ts';
import { whoAsks } from './person.ts';
import { coded, printFindings } from './check.ts';

/** Apply. @returns 78 where the new configuration has errors: then nothing has changed */
export async function apply(options: { data: string; output: Form }): Promise<number> {
  const engine = runningEngine(options);
  const { applied, findings } = await engine.post<{ applied?: Applied; findings: Finding[] }>(
    '/v1/config/apply',
    { by: whoAsks() },
  );
  printOne(
    options.output,
    'applied',
    { applied: applied ?? null, findings: findings.map(coded) },
    () => (applied ? tell(applied) : printFindings(findings)),
  );
  if (applied) return exits.ok;
  say('nothing was changed; the engine runs on as before');
  return exits.badConfig;
}

function tell({ revision, before, added, changed, removed }: Applied): void {
  if (revision === before) say(`revision ${revision}, as before`);
  else say(`revision ${revision} in the place of ${before}`);
  for (const [what, names] of Object.entries({ added, changed, removed })) {
    if (names.length > 0) say(`${what}: ${names.join(', ')}`);
  }
  if (added.length + changed.length + removed.length === 0) say('no channel runs otherwise');
}
