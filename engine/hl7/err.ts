/** ERR: what was wrong and where, in the form of the sender's version (HL7 v2.4 §2.16.5, v2.5 §2.15.5). */
import { faults as faultTable } from '../faults.ts';
import type { Fault, FaultDefinition, FaultLocation } from '../faults.ts';
import type { Component, Repetition, Segment } from './segment.ts';
import { versionAtLeast } from './version.ts';

/** Table 0357, message error condition codes. */
const conditions: Readonly<Record<string, string>> = {
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '104': 'Value too long',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '206': 'Application record locked',
  '207': 'Application internal error',
};

/**
 * The ERR segments of a response.
 *
 * Up to v2.4 one ERR, with a repetition of ERR-1 for each place: segment, sequence, field, code.
 * From v2.5 one ERR for each fault: ERR-2 places, ERR-3 code, ERR-4 severity, ERR-5 our own code,
 * ERR-7 our sentence, ERR-8 the sentence for the user.
 * @param version MSH-12 of the sender; 2.4 when undefined
 * @param faults those the table gives no code for (the answer is AA) are left out
 */
export function errSegments(version: string | undefined, faults: Fault[]): Segment[] {
  const told = faults.flatMap((fault) => {
    const definition: FaultDefinition = faultTable[fault.name];
    return definition.err === null ? [] : [{ fault, definition, code: definition.err }];
  });
  if (told.length === 0) return [];
  if (!versionAtLeast(version, '2.5')) {
    const places = told.flatMap(({ fault, code }) =>
      (fault.at?.length ? fault.at : [undefined]).map((at) => errorCodeAndLocation(at, code)),
    );
    return [{ name: 'ERR', fields: [undefined, places] }];
  }
  return told.map(({ fault, definition, code }) => {
    const fields: Segment['fields'] = [];
    fields[2] = fault.at?.map(errorLocation);
    fields[3] = [errorCondition(code)];
    fields[4] = 'E';
    fields[5] = [[definition.code, undefined, 'L']];
    fields[7] = definition.says;
    fields[8] = fault.verbatim ?? definition.says;
    return { name: 'ERR', fields };
  });
}

/** ELD: segment, sequence, field, code (a CE whose parts are sub-components). */
function errorCodeAndLocation(at: FaultLocation | undefined, code: string): Repetition {
  const coded: Component = errorCondition(code);
  if (!at) return [undefined, undefined, undefined, coded];
  return [at.segment, String(at.sequence ?? 1), at.field?.toString(), coded];
}

/** ERL: segment, sequence, field, repetition, component. */
function errorLocation(at: FaultLocation): Repetition {
  return [
    at.segment,
    String(at.sequence ?? 1),
    at.field?.toString(),
    at.repetition?.toString(),
    at.component?.toString(),
  ];
}

/** A code of table 0357 as CE, for ERR and for MSA-6 where a structure has no ERR. */
export function errorCondition(code: string): string[] {
  const name = conditions[code];
  return name === undefined ? [code] : [code, name, 'HL70357'];
}
