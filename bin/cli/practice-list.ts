/** `gatehouse practice list`. */
import type { Site } from '../../engine/config/site.ts';
import { nearest, shortPath } from '../../engine/config/yaml.ts';
import { readTable } from '../../engine/practices/table-file.ts';
import { exits } from './exits.ts';
import { printListing } from './form.ts';
import { CommandError } from './output.ts';
import type { ListOptions } from './practice-import.ts';
import { commissionersOf, tablesIn } from './practice-tables.ts';
import { soundSite } from './sites.ts';

/** List the practices of a site's tables, in the order in which they stand there. */
export async function list(options: ListOptions): Promise<number> {
  const commissioners = commissionersOf(options.commissioner);
  const site = soundSite(options.site);
  const tables = tablesIn(site, options.channel);
  mustBeKnown(options.to, site);
  const rows = tables.flatMap(({ file }) =>
    [...readTable(file).practices.values()].map(({ line, ...row }) => ({
      ...row,
      where: `${shortPath(file)}:${line}`,
    })),
  );
  printListing(options.output, {
    kind: 'practices',
    key: 'practices',
    rows: rows
      .filter(({ destination }) => options.to === undefined || destination === options.to)
      .filter(({ commissioner }) => commissioners.size === 0 || commissioners.has(commissioner)),
    columns: [
      { title: 'ODS', cell: ({ ods }) => ods },
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'TO', cell: ({ destination }) => destination },
      { title: 'COMMISSIONER', cell: ({ commissioner }) => commissioner },
      { title: 'ADDRESS', cell: ({ address }) => address, wide: true },
      { title: 'ASID', cell: ({ asid }) => asid, wide: true },
      { title: 'WHERE', cell: ({ where }) => where },
    ],
  });
  return exits.ok;
}

/** An empty list is no answer to a name that is mistyped. @throws CommandError exit 3 */
function mustBeKnown(to: string | undefined, { channels }: Site): void {
  const known = new Set(channels.flatMap(({ channel }) => Object.keys(channel.destinations)));
  if (to === undefined || known.has(to)) return;
  const near = nearest(to, [...known]);
  const says = `there is no destination "${to}"${near ? `; did you mean "${near}"?` : ''}`;
  throw new CommandError(says, `destinations known: ${[...known].join(', ')}`, exits.notFound);
}
