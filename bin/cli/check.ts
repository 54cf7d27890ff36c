/** `gatehouse check`: every finding, nothing changed. */
import { channelJsonSchema } from '../../engine/channel.ts';
import { loadSite, routesOf } from '../../engine/config/site.ts';
import { settingsJsonSchema } from '../../engine/config/settings.ts';
import type { Finding } from '../../engine/config/yaml.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { print, say, style } from './output.ts';
import { siteFolder } from './sites.ts';

/** Check a site. @returns 78 where there are errors */
export async function check(options: { site?: string; output: Form }): Promise<number> {
  const { channels, findings } = loadSite(siteFolder(options.site));
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const beside = { errors, channels: channels.map((c) => c.channel.channel) };
  printRows(options.output, { kind: 'check', key: 'findings', rows: findings, beside }, () => {
    printFindings(findings);
    const routes = new Set(routesOf(channels).map(({ name }) => name));
    say(
      errors > 0
        ? `${errors} ${errors === 1 ? 'error' : 'errors'}`
        : `${channels.length} channels and ${routes.size} routes are sound: every outcome has a way to an answer`,
    );
  });
  return errors > 0 ? exits.badConfig : exits.ok;
}

/** Print findings, each with its place and the next step. */
export function printFindings(findings: readonly Finding[]): void {
  for (const { severity, where, says, next } of findings) {
    print(`${where}  ${style(severity === 'error' ? 'red' : 'yellow', severity)}  ${says}`);
    if (next) print(`    next: ${next}`);
  }
}

/** Print the JSON Schema of a channel file, or of site.yaml. */
export async function schema(of: string): Promise<number> {
  const json = of === 'site' ? settingsJsonSchema() : channelJsonSchema();
  print(JSON.stringify(json, null, 2));
  return exits.ok;
}
