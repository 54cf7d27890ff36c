/** `gatehouse sim …` in the command tree. */
import { type Command, Option } from 'commander';
import type { AckCode } from '../../engine/hl7/ack.ts';
import { form } from './form.ts';
import { asTheyCome, run, site } from './options.ts';

/** Add the simulated systems around the engine. */
export function addSimCommands(program: Command): void {
  const sim = program.command('sim').description('simulated systems around the engine');
  sim
    .command('gp')
    .description('PDS, SDS, the Spine proxy, GP Connect and a GP system that speaks HL7 v2')
    .option('--port <port>', 'HTTP port', '8480')
    .option('--mllp-port <port>', 'MLLP port of the HL7 v2 GP system', '2576')
    .option('--patients <folder>', 'folder of bundles (fixtures/patients unless told)')
    .option('--scenario <nhs=name...>', 'make a patient fail in a named way')
    .option(
      '--application <apikey=jwks...>',
      'API key and JWK set (a file) of an application; PDS then wants its token (/oauth2/token)',
    )
    .addOption(site)
    .option('--sds-apikey <key>', 'API key SDS wants')
    .option('--gateway-token <token>', 'access token the Clinical Data Gateway wants')
    .addHelpText('after', '\nExample:\n  gatehouse sim gp --scenario 9465701459=slow:3000')
    .action(async (options) => run((await import('./sim.ts')).gp(options)));
  sim
    .command('hospital')
    .description('a hospital that asks for GP records, or sends ADT, at a rate')
    .requiredOption('--to <host:port>', 'the channel to ask')
    .option('--count <n>', 'how many messages', '1')
    .option('--rate <n>', 'messages a second', '1')
    .option('--connections <n>', 'connections', '1')
    .option('--nhs <number>', 'patient to ask for', '9465701459')
    .option(
      '--type <type>',
      'QBP^Q11, QBP^ZGR, QBP^Q21, QRY^A19, QRY^R02, RQC^I05, VXQ^V01 or ADT^A01',
      'QBP^Q11',
    )
    .addOption(form)
    .addHelpText('after', '\nExample:\n  gatehouse sim hospital --to 127.0.0.1:2575 --count 10')
    .action(async (options) => run((await import('./sim.ts')).hospital(options)));
  const receiver = sim
    .command('receiver')
    .description(
      'a system that messages are delivered to: acknowledges each, or does as such systems do on a bad day',
    )
    .option('--port <port>', 'MLLP port; 0 takes a free one', '2580')
    .addOption(
      new Option('--answer <code>', 'MSA-1; in enhanced mode as MSH-15 and MSH-16 want it')
        .choices(['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] satisfies AckCode[])
        .default('AA'),
    )
    .option('--delay <seconds>', 'wait so long first')
    .addOption(
      new Option('--silent', 'take the message and say nothing').conflicts(['close', 'wrongId']),
    )
    .addOption(
      new Option('--close', 'reset the connection instead of an answer').conflicts('wrongId'),
    )
    .option('--wrong-id', 'answer with an MSA-2 that is not the MSH-10 of the message')
    .option('--every <n>', 'so with every nth message alone; AA to the others')
    .option(
      '--for <place=text...>',
      "so with messages alone that have this there: 'PID-3=*123', 'PV1-2!=I'; AA to the others",
    )
    .option('--content', 'show the messages as well, patient data covered')
    .option('--certificate <file>', 'speak TLS and show this certificate (PEM)')
    .option('--key <file>', 'its private key (PEM)')
    .option(
      '--authorities <file>',
      'PEM file of the authorities to trust: who connects needs a certificate of theirs',
    )
    .option(
      '--acks-to <host:port>',
      'application acknowledgements of enhanced mode go there, on a connection of their own; --delay is then theirs',
    )
    .option('--acks-tls', 'use TLS for them');
  asTheyCome(receiver)
    .addHelpText('after', '\nExample:\n  gatehouse sim receiver --answer AE --every 3 --content')
    .action(async (options) => run((await import('./sim-receiver.ts')).receiver(options)));
}
