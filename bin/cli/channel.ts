/** `gatehouse channel list`. */
import { loadSite } from '../../engine/config/site.ts';
import { exits } from './exits.ts';
import { printJson, printTable, say } from './output.ts';
import { siteFolder } from './sites.ts';

/** List the channels of a site. */
export async function list(options: { site?: string; output: string }): Promise<number> {
  const { channels, findings } = loadSite(siteFolder(options.site));
  const rows = channels.map(({ channel, route }) => ({
    channel: channel.channel,
    listen: `${channel.listen.host}:${channel.listen.port}`,
    route: `${route.name}@${route.version}`,
    accepts: channel.accepts.join(' '),
  }));
  if (options.output === 'json') printJson('channels', { channels: rows });
  else
    printTable(
      ['CHANNEL', 'LISTEN', 'ROUTE', 'ACCEPTS'],
      rows.map((row) => Object.values(row)),
    );
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return exits.ok;
  say('channels with errors are not listed; "gatehouse check" tells what is wrong');
  return exits.badConfig;
}
