/** What a channel file says of a push: for whom a GP record is fetched, and how it is sent. */
import { z } from 'zod';
import { datasets } from '../gp/port.ts';
import { formTypes } from '../push/forms.ts';
import { askerPlaces } from './asked.ts';
import { duration, text } from './values.ts';

const coded = z.string().regex(/^[^|~\\&^]+(\^[^|~\\&^]*){0,2}$/, 'write it as CODE^Text^SYSTEM');

/** RDE^O11: HL7 requires all of it, and no GP record states it. There is no default. */
const orders = z.strictObject({
  timing: text.meta({ description: 'timing in words, where the record has none (RXE-1, TQ1-11)' }),
  code: coded.meta({ description: 'RXE-2 where the record does not name the medication' }),
  amount: z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(z.string().regex(/^\d+(\.\d+)?$/, 'a number is needed'))
    .meta({ description: 'RXE-3: a number that your system does not take for a dose' }),
  units: coded.meta({ description: 'RXE-5' }),
  route: coded.meta({ description: 'RXR-1' }),
});

const document = z.strictObject({
  type: text.default('GPREC').meta({ description: 'TXA-2: type of document' }),
  as: z.enum(['TX', 'FT', 'ED']).default('FT').meta({
    description:
      'OBX-2: an OBX a line (TX), an OBX a part of the record (FT), the whole as a text file in base64 (ED)',
  }),
});

/** Key of a delivery: the GP record of the patient is fetched and sent in place of the message. */
export const push = z.strictObject({
  as: z.enum(formTypes).meta({ description: 'the message that is sent' }),
  datasets: z
    .array(z.enum(datasets))
    .min(1)
    .optional()
    .meta({ description: 'parts of the record; unless told all that the message has a place for' }),
  events: z
    .array(z.string().regex(/^A\d\d$/, 'an event such as A01 is needed'))
    .min(1)
    .default(['A01', 'A04', 'A05', 'A28'])
    .meta({ description: 'the ADT events that set it off; others are left out' }),
  asker: askerPlaces.meta({
    description: 'where in the ADT message user, role, organisation and consent stand',
  }),
  route: text.default('push').meta({ description: 'name of a file in channels/routes' }),
  version: z
    .enum(['2.3', '2.3.1', '2.4', '2.5', '2.5.1'])
    .optional()
    .meta({ description: 'MSH-12; that of the ADT message unless told' }),
  receiver: z
    .strictObject({ application: text, facility: text })
    .optional()
    .meta({ description: 'MSH-5 and MSH-6; who sent the ADT message unless told' }),
  patience: duration.default(3_600_000).meta({
    description:
      'how long a GP side that cannot be reached is tried again, from the first try on; then the message is parked',
  }),
  orders: orders.optional().meta({ description: 'with RDE^O11, which requires it' }),
  document: document.prefault({}).meta({ description: 'with MDM^T02: how the text is given' }),
});

export type Push = z.output<typeof push>;
