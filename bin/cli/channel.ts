/** `gatehouse channel list`. */
import { loadSite } from '../../engine/config/site.ts';
import { exits } from './exits.ts';
import { type Form, printListing } from './form.ts';
import { say } from './output.ts';
import { siteFolder } from './sites.ts';

/** List the channels of a site. */
export async function list(options: { site?: string; output: Form }): Promise<number> {
  const { channels, findings } = loadSite(siteFolder(options.site));
  const rows = channels.map(({ channel, route }) => ({
    channel: channel.channel,
    listen: `${channel.listen.host}:${channel.listen.port}`,
    route: `${route.name}@${route.version}`,
    accepts: channel.accepts.join(' '),
  }));
  printListing(options.output, {
    kind: 'channels',
    key: 'channels',
    rows,
    columns: [
      { title: 'CHANNEL', cell: ({ channel }) => channel },
      { title: 'LISTEN', cell: ({ listen }) => listen },
      { title: 'ROUTE', cell: ({ route }) => route },
      { title: 'ACCEPTS', cell: ({ accepts }) => accepts },
    ],
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return exits.ok;
  say('channels with errors are not listed; "gatehouse check" tells what is wrong');
  return exits.badConfig;
}
