/** `gatehouse explain CODE`: one row of the fault table, or of the errors of commands. */
import { faultByCode, faults } from '../../engine/faults.ts';
import { allErrors } from './errors.ts';
import { exits } from './exits.ts';
import { codeNamed, unknownFault } from './fault-code.ts';
import { type Form, printOne } from './form.ts';
import { type CommandError, print } from './output.ts';

/** Explain a code. */
export async function explain(code: string, options: { output: Form }): Promise<number> {
  const wanted = codeOf(code);
  const fault = faultByCode(wanted);
  const error = allErrors().find((one) => one.code === wanted);
  if (fault) {
    const { msa, qak, err } = fault;
    printOne(options.output, 'fault', fault, () => {
      print(`${fault.code} ${fault.name}\n\n${fault.says}\n`);
      print(`class   ${fault.class}`);
      print(
        `answer  MSA-1 ${msa}${qak ? `, QAK-2 ${qak}` : ''}${err ? `, ERR ${err}` : ', no ERR'}`,
      );
      print(`next    ${fault.next}`);
    });
  } else if (error) {
    printOne(options.output, 'commandError', error, () => {
      print(`${error.code} ${error.name}\n\n${error.says}\n`);
      print(`exit    ${error.exit}`);
      print(`next    ${error.next}`);
    });
  } else throw unknown(code);
  return exits.ok;
}

/** As `codeNamed` has it, or the name of an error of a command. */
function codeOf(text: string): string {
  return allErrors().find(({ name }) => name === text)?.code ?? codeNamed(text);
}

function unknown(code: string): CommandError {
  return unknownFault(
    code,
    [...Object.values(faults), ...allErrors()].map((one) => one.code),
  );
}
