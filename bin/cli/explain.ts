/** `gatehouse explain CODE`: one row of the fault table. */
import { faultByCode, faults } from '../../engine/faults.ts';
import { nearest } from '../../engine/config/yaml.ts';
import { exits } from './exits.ts';
import { type Form, printOne } from './form.ts';
import { CommandError, print } from './output.ts';

/** Explain a fault code. */
export async function explain(code: string, options: { output: Form }): Promise<number> {
  const wanted = code.toUpperCase();
  const fault = faultByCode(wanted);
  if (!fault) {
    const near = nearest(
      wanted,
      Object.values(faults).map((row) => row.code),
    );
    throw new CommandError(
      `there is no fault ${code}`,
      near ? `gatehouse explain ${near}` : 'docs/reference/faults.md lists them all',
      exits.notFound,
    );
  }
  printOne(options.output, 'fault', fault, () => {
    print(`${fault.code} ${fault.name}\n\n${fault.says}\n`);
    print(`class   ${fault.class}`);
    print(
      `answer  MSA-1 ${fault.msa}${fault.qak ? `, QAK-2 ${fault.qak}` : ''}${fault.err ? `, ERR ${fault.err}` : ', no ERR'}`,
    );
    print(`next    ${fault.next}`);
  });
  return exits.ok;
}
