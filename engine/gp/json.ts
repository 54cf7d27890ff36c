/** Reads FHIR JSON without losing what a JavaScript number cannot hold. */

/** A number that JavaScript would write otherwise: trailing zeros, an exponent, too many digits, -0. */
const delicate =
  /[:,[]\s*(?:-0|-?(?:\d+\.\d*0|0\.0{6,}\d+|\d+(?:\.\d+)?[eE][+-]?\d+|\d{16,}(?:\.\d+)?|\d+\.\d{15,}|\d+\.\d{1,15}(?<=[\d.]{17,})))\s*[,}\]]/;

/**
 * Parse JSON. A decimal whose text a number would change (`1.10`, FHIR STU3 "decimal": precision is
 * significant) is given as that text; every other number as a number.
 * @throws SyntaxError
 */
export function parseFhir(text: string): unknown {
  if (!delicate.test(text)) return JSON.parse(text);
  // Reading number by number costs many times as much, so only where there is one to keep.
  return JSON.parse(text, keepSource as (key: string, value: unknown) => unknown);
}

function keepSource(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source
    ? source
    : value;
}
