/** `gatehouse practice list`. */
import { shortPath } from '../../engine/config/yaml.ts';
import { readTable } from '../../engine/practices/table-file.ts';
import { exits } from './exits.ts';
import { printListing } from './form.ts';
import type { ListOptions } from './practice-import.ts';
import { commissionersOf, tablesIn } from './practice-tables.ts';
import { soundSite } from './sites.ts';

/** List the practices of a site's tables, in the order in which they stand there. */
export async function list(options: ListOptions): Promise<number> {
  const commissioners = commissionersOf(options.commissioner);
  const rows = tablesIn(soundSite(options.site), options.channel).flatMap(({ file }) =>
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
