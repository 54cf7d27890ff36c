/** An ADT message read as a query: whose record, which parts of it, and who asks. */
import type { Dataset } from '../gp/port.ts';
import type { AskerPlaces, QueryKind } from '../query/kinds.ts';
import { type PushForm, messageTypeOf } from './forms.ts';

/** What a push wants of a record. */
export interface Wanted {
  datasets?: readonly Dataset[];
  asker: AskerPlaces;
}

/**
 * How a push reads its ADT message. The rules are those of every query: NHS number by its
 * authority, user, role, organisation and consent; what PID says of the patient is compared with PDS.
 * @param version MSH-12 of what is sent
 */
export function pushKind(form: PushForm, { datasets, asker }: Wanted, version: string): QueryKind {
  return {
    type: `push ${form.type}`,
    structure: 'ADT',
    says: form.says,
    since: '2.3',
    segments: ['PID'],
    tag: 'MSH-10',
    patient: ['PID-3'],
    offers: form.offers.filter((dataset) => datasets?.includes(dataset) ?? true),
    asker,
    claimed: { family: 'PID-5.1', given: 'PID-5.2', gender: 'PID-8', birthDate: 'PID-7' },
    answer: {
      ...messageTypeOf(form, version),
      profile: form.profile,
      version,
      echoes: [],
      status: 'none',
      notFound: 'MSA',
    },
  };
}
