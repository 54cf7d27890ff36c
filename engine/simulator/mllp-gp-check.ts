/** What the simulated MLLP GP system refuses of a query, and with which code of table 0357. */
import type { Fault } from '../faults.ts';
import { standardDelimiters } from '../hl7/delimiters.ts';
import type { Message } from '../hl7/message.ts';
import { findNhsNumber, nhsNumberValid } from '../hl7/nhs-number.ts';

/** The patient a query is about, or why it is refused. */
export function checkQuery(query: Message): { nhsNumber: string } | { fault: Fault } {
  const fault = refuseHeader(query) ?? refuseShape(query);
  if (fault) return { fault };
  const [segment, field] = query.get('MSH-9.1') === 'QBP' ? ['QPD', 3] : ['QRD', 8];
  const at = [{ segment: String(segment), sequence: 1, field: Number(field) }];
  const nhsNumber = findNhsNumber(query, [`${segment}-${field}`]);
  if (nhsNumber === undefined) return { fault: { name: 'nhsNumberMissing', at } };
  if (!nhsNumberValid(nhsNumber)) return { fault: { name: 'nhsNumberInvalid', at } };
  return { nhsNumber };
}

function refuseHeader(query: Message): Fault | undefined {
  const at = (field: number) => [{ segment: 'MSH', sequence: 1, field }];
  const { field, component, repetition, escape, subcomponent } = query.delimiters;
  const usual = standardDelimiters;
  if (
    [field, component, repetition, escape, subcomponent].join('') !==
    [usual.field, usual.component, usual.repetition, usual.escape, usual.subcomponent].join('')
  ) {
    return { name: 'valueInvalid', at: at(2) };
  }
  const type = query.get('MSH-9.1');
  if (!type || !query.get('MSH-10')) return { name: 'mshShort', at: at(type ? 10 : 9) };
  if (type !== 'QBP' && type !== 'QRY') return { name: 'typeNotAccepted', at: at(9) };
  if (query.get('MSH-9.2') !== (type === 'QBP' ? 'Q11' : 'A19')) {
    return { name: 'eventNotAccepted', at: at(9) };
  }
  return query.get('MSH-12') === '2.4' ? undefined : { name: 'versionNotAccepted', at: at(12) };
}

/** Segments and required fields; the asker stands in QPD-7 to QPD-10, or in ZAU-1 to ZAU-4. */
function refuseShape(query: Message): Fault | undefined {
  const q11 = query.get('MSH-9.1') === 'QBP';
  for (const segment of q11 ? ['QPD', 'RCP'] : ['QRD', 'ZAU']) {
    if (query.count(segment) === 0) {
      const name = segment === 'ZAU' ? 'askerMissing' : 'segmentMissing';
      return { name, at: [{ segment, sequence: 1 }] };
    }
  }
  const missing = (segment: string, fields: number[]) =>
    fields
      .filter((field) => !query.raw(`${segment}-${field}`))
      .map((field) => ({ segment, sequence: 1, field }));
  const required = q11 ? missing('QPD', [1, 2, 3]) : missing('QRD', [1, 2, 3, 4, 7, 8, 9, 10]);
  if (required.length > 0) return { name: 'requiredMissing', at: required };
  const asker = q11 ? missing('QPD', [7, 8, 9, 10]) : missing('ZAU', [1, 2, 3, 4]);
  return asker.length > 0 ? { name: 'askerMissing', at: asker } : undefined;
}
