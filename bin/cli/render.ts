/** `gatehouse config render`: channel files as they hold, with everything they extend. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { channelFiles, readChannel } from '../../engine/config/extends.ts';
import { ConfigError, nearest } from '../../engine/config/findings.ts';
import { resolveAll, shownOf, withoutSecrets } from '../../engine/config/resolve.ts';
import { strings } from '../../engine/config/values.ts';
import { exits } from './exits.ts';
import { type Form, isForPeople, printListing, printOne } from './form.ts';
import { CommandError, print } from './output.ts';
import { siteFolder } from './site-folder.ts';

interface RenderOptions {
  site?: string;
  origins?: boolean;
  output: Form;
}

/** Print one channel, or all; with `--origins` where each value was written. */
export async function render(name: string | undefined, options: RenderOptions): Promise<number> {
  const folder = join(siteFolder(options.site), 'channels');
  const known = channelFiles(folder).map((file) => file.replace(/\.yaml$/, ''));
  if (name !== undefined && !known.includes(name)) {
    const near = nearest(name, known);
    const says = `there is no channel "${name}"${near ? `; did you mean "${near}"?` : ''}`;
    throw new CommandError(says, `channels: ${known.join(', ') || 'none'}`, exits.notFound);
  }
  const read = (name === undefined ? known : [name]).map((one) => {
    const source = readChannel(join(folder, `${one}.yaml`), folder);
    resolveAll(source, process.env);
    if (source.findings.length > 0) throw new ConfigError(source.findings);
    return source;
  });
  if (options.origins) {
    printListing(options.output, {
      kind: 'configOrigins',
      key: 'values',
      rows: read.flatMap((source) =>
        Array.from(strings(source.value), ({ text, path }) => ({
          path: path.join('.'),
          value: shownOf(path.at(-1) ?? '', text),
          where: source.where(path),
        })),
      ),
      columns: [
        { title: 'KEY', cell: (row) => row.path },
        { title: 'VALUE', cell: (row) => row.value },
        { title: 'WRITTEN AT', cell: (row) => row.where },
      ],
    });
    return exits.ok;
  }
  const channels = read.map(({ value }) => withoutSecrets(value) as object);
  if (!isForPeople(options.output)) {
    printOne(options.output, 'configRendered', { channels }, () => {});
    return exits.ok;
  }
  print(channels.map((one) => stringify(one, { schema: 'failsafe', lineWidth: 0 })).join('---\n'));
  return exits.ok;
}
