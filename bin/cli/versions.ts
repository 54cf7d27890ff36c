/** `gatehouse version`: what runs here, for whoever reports something; `doctor` tells more. */
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { print } from './output.ts';
import { version } from './version.ts';

/** Print the versions. */
export async function versions(options: { output: Form }): Promise<number> {
  const told = { gatehouse: version(), node: process.versions.node };
  printOne(options.output, 'versions', told, () => {
    for (const [what, which] of Object.entries(told)) print(`${what} ${which}`);
  });
  return exits.ok;
}
