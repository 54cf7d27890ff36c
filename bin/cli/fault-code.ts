/** Faults as a person names them. */
import { nearest } from '../../engine/config/findings.ts';
import { faultByCode, faults } from '../../engine/faults.ts';
import { CommandError } from './output.ts';

/** `GH-4002`, `gh-4002`, `4002` or `nhsNumberInvalid` as its code; it need not be one. */
export function codeNamed(text: string): string {
  const named = Object.entries(faults).find(([name]) => name === text)?.[1];
  return named?.code ?? text.toUpperCase().replace(/^(?=\d+$)/, 'GH-');
}

/**
 * The code of a fault that messages are looked for by.
 * @throws CommandError where there is none, for nothing would be found, and that would say too much
 */
export function faultNamed(text: string): string {
  const code = codeNamed(text);
  if (faultByCode(code)) return code;
  throw unknownFault(
    text,
    Object.values(faults).map((one) => one.code),
  );
}

/** @param known codes that could be meant */
export function unknownFault(text: string, known: readonly string[]): CommandError {
  const near = nearest(codeNamed(text), known);
  const next = near ? `gatehouse explain ${near}` : 'docs/reference/faults.md lists them all';
  return new CommandError(`there is no fault ${text}`, next, 'notFound');
}
