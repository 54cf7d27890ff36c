/** `gatehouse explain CODE`: one row of the fault table, or of the errors of commands. */
import { nearest } from '../../engine/config/findings.ts';
import { faultByCode, faults } from '../../engine/faults.ts';
import { allErrors } from './errors.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print } from './output.ts';

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

/** `GH-4002`, `gh-4002`, `4002` or `nhsNumberInvalid`. */
function codeOf(text: string): string {
  const named = Object.entries(faults).find(([name]) => name === text)?.[1];
  const error = allErrors().find(({ name }) => name === text);
  return (named ?? error)?.code ?? text.toUpperCase().replace(/^(?=\d+$)/, 'GH-');
}

function unknown(code: string): CommandError {
  const known = [...Object.values(faults), ...allErrors()].map((one) => one.code);
  const near = nearest(code.toUpperCase(), known);
  return new CommandError(
    `there is no fault ${code}`,
    near ? `gatehouse explain ${near}` : 'docs/reference/faults.md lists them all',
    exits.notFound,
  );
}
