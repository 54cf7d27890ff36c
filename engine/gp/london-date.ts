/** Dates as PDS and GP systems mean them: calendar days in the United Kingdom. */

const london = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Europe/London',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/** The calendar day in Europe/London at an instant (milliseconds since 1970), as `YYYY-MM-DD`. */
export function londonDate(instant: number): string {
  return london.format(instant);
}

/** A FHIR Period; dates may be `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or an instant. */
export interface Period {
  start?: string;
  end?: string;
}

/**
 * Whether a day lies within a FHIR Period, both ends included (FHIR R4 §2.24.0.12: an end given
 * as a year or a month includes all of it). A missing end is open.
 * @param day `YYYY-MM-DD`
 */
export function isWithin(day: string, period: Period | undefined): boolean {
  const start = dayOf(period?.start);
  const end = dayOf(period?.end);
  return (
    (!start || day.slice(0, start.length) >= start) && (!end || day.slice(0, end.length) <= end)
  );
}

function dayOf(date: string | undefined): string | undefined {
  if (!date || date.length <= 10) return date;
  const instant = Date.parse(date);
  return Number.isNaN(instant) ? date.slice(0, 10) : londonDate(instant);
}
