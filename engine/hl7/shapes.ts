/**
 * What values of the data types with a fixed form look like (HL7 v2.5 §2.A): numbers, dates and
 * times. Only the form is looked at; whether a date is plausible for a patient is not our business.
 */

const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';
const hour = '(?:[01]\\d|2[0-3])';
const clock = `${hour}(?:[0-5]\\d(?:[0-5]\\d(?:\\.\\d{1,4})?)?)?`;
const zone = '(?:[+-](?:0\\d|1[0-4])[0-5]\\d)?';

const shapes: Record<string, { form: RegExp; says: string }> = {
  SI: { form: /^\d{1,4}$/, says: 'a sequence number (SI: up to four digits)' },
  NM: { form: /^[+-]?(?:\d+\.?\d*|\.\d+)$/, says: 'a number (NM)' },
  DT: {
    form: new RegExp(`^\\d{4}(?:${month}${day}?)?$`),
    says: 'a date (DT: YYYY, YYYYMM or YYYYMMDD)',
  },
  TM: { form: new RegExp(`^${clock}${zone}$`), says: 'a time (TM: HHMM, HHMMSS)' },
  DTM: {
    form: new RegExp(`^\\d{4}(?:${month}(?:${day}(?:${clock})?)?)?${zone}$`),
    says: 'a date and time (YYYYMMDDHHMMSS, with fewer digits if less is known)',
  },
};

/** The HL7 null: the value is to be deleted. It may stand in a field of any type. */
const nullValue = '""';

/** True when this data type has a fixed form. */
export function hasShape(type: string): boolean {
  return Object.hasOwn(shapes, type);
}

/**
 * What a value should have been, where it is not: "a number (NM)". Undefined when it fits, is
 * empty, or its type has no fixed form.
 */
export function shapeMissed(type: string, value: string): string | undefined {
  if (value === '' || value === nullValue || !hasShape(type)) return undefined;
  const shape = shapes[type];
  return shape && !shape.form.test(value) ? shape.says : undefined;
}
