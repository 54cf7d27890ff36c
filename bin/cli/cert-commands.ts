/** `gatehouse cert …` in the command tree. */
import type { Command } from 'commander';
import { form } from './form.ts';
import { data, run, site } from './options.ts';

/** Add the commands that look at certificates, and renew them. */
export function addCertCommands(program: Command): void {
  const cert = program.command('cert').description('certificates of channels and their peers');
  cert
    .command('list')
    .description(
      'list every certificate in use, who uses it and until when: exit 6 where one ends soon',
    )
    .addOption(site)
    .addOption(data)
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse cert list -o wide')
    .action(async (options) => run((await import('./cert.ts')).list(options)));
  cert
    .command('check <pem>')
    .description('check a PEM file: its dates, its chain, its key: exit 6 where anything is wrong')
    .option('--key <file>', 'the private key that is to fit')
    .option('--authorities <file>', 'PEM file of the authorities that are to have issued it')
    .option('--host <name>', 'a host that it is to be for')
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse cert check new.pem --key new.key')
    .action(async (pem, options) => run((await import('./cert.ts')).check(pem, options)));
  cert
    .command('rotate <name>')
    .description('put a new certificate in the place of one in use; no connection is dropped')
    .requiredOption('--from <file>', 'PEM file of the new certificate, or of the authorities')
    .option('--key <file>', 'its private key, where that is new as well')
    .option('--other-names', 'although names of the old one are no longer in it')
    .option('--dry-run', 'verify it; change nothing')
    .option('--yes', 'do not ask')
    .option('--reason <text>', 'why; recorded in the journal')
    .addOption(site)
    .addOption(data)
    .addOption(form)
    .addHelpText(
      'after',
      '\nExample:\n  gatehouse cert rotate far-side --from new.pem --key new.key',
    )
    .action(async (name, options) => run((await import('./cert-rotate.ts')).rotate(name, options)));
}
