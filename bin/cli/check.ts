/** `gatehouse check`: every finding, nothing changed. */
import { editorJsonSchema } from '../../engine/channel.ts';
import { loadSite, routesOf } from '../../engine/config/site.ts';
import { settingsJsonSchema } from '../../engine/config/settings.ts';
import { type Finding, codeOf } from '../../engine/config/findings.ts';
import { routeJsonSchema } from '../../engine/route.ts';
import { exits } from './exits.ts';
import { type Form, printRows } from './form.ts';
import { print, say, style } from './output.ts';
import { siteFolder } from './site-folder.ts';

/** Check a site. @returns 78 where there are errors */
export async function check(options: { site?: string; output: Form }): Promise<number> {
  const { channels, findings } = loadSite(siteFolder(options.site));
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const beside = { errors, channels: channels.map((c) => c.channel.channel) };
  const rows = findings.map(coded);
  printRows(options.output, { kind: 'check', key: 'findings', rows, beside }, () => {
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

/** A finding as other programs are given it. */
export function coded(finding: Finding): object {
  const { severity, where, says, next } = finding;
  const kind = codeOf(finding);
  return { code: kind.code, severity, where, says, next: next ?? kind.next };
}

/** Print findings, each with its place and the next step. */
export function printFindings(findings: readonly Finding[]): void {
  for (const finding of findings) {
    const { severity, where, says, next } = finding;
    const kind = codeOf(finding);
    const colour = severity === 'error' ? 'red' : 'yellow';
    print(`${where}  ${style(colour, severity)} ${kind.code}  ${says}`);
    print(`    next: ${next ?? kind.next}`);
  }
}

/** Print the JSON Schema of a channel file, of site.yaml or of a route. */
export async function schema(of: string): Promise<number> {
  const schemas = { site: settingsJsonSchema, route: routeJsonSchema, channel: editorJsonSchema };
  const json = schemas[of as keyof typeof schemas]();
  print(JSON.stringify(json, null, 2));
  return exits.ok;
}
