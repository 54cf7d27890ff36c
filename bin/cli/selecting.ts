/** The filters of messages in the command tree. */
import { type Command, Option } from 'commander';
import { progressStates } from '../../engine/journal/journal.ts';

/** Add the filters to a command. @param states what `--state` says of itself */
export function selecting(command: Command, states = 'in this state'): Command {
  return command
    .option('--channel <name>', 'of this channel')
    .addOption(new Option('--state <state>', states).choices(progressStates))
    .option('--fault <code>', 'that ended with this fault, GH-nnnn')
    .option('--control-id <id>', 'with this MSH-10')
    .option('--nhs <number>', 'of this patient ("-" reads the number from stdin)')
    .option('--practice <ods>', 'of patients of this practice')
    .option('--sender <application|facility>', 'from this sender: MSH-3|MSH-4')
    .option('--type <type>', 'of this type: ADT, or ADT^A01')
    .option('--since <when>', 'received since: 15m, 12h, 7d or an ISO time')
    .option('--until <when>', 'received until: 15m, 12h, 7d ago or an ISO time');
}
