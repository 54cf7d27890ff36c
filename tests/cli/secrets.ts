/** What belongs to the patient these tests ask for, and must not be seen without a reason. */
import assert from 'node:assert/strict';

export const patient = '9990000026';

/** Written as messages, records and logs could have it. */
export const secrets = [
  patient,
  '999 000 0026',
  'Wierzba',
  'WIERZBA',
  'Tomasz',
  '19581201',
  '1958-12-01',
  'Lock House',
  'ZZ99 1AD',
  '01632 960119',
  'Amlodipine',
  'High blood pressure',
  'Hypertension',
  'Wierzba-Cole',
];

/** Nothing of the patient is in a text, neither as it is nor as bytes in JSON, hex or base64. */
export function assertNothingOf(text: string, where: string): void {
  for (const secret of secrets) {
    const bytes = Buffer.from(secret);
    const forms = [
      secret,
      bytes.toString('hex'),
      [...bytes].join(','),
      // As JSON.stringify has a Uint8Array, wherever it stands in it.
      [...bytes].map((byte) => `:${byte}`).join(',"'),
    ];
    for (const form of forms) assert.ok(!text.includes(form), `${where} shows ${secret}`);
  }
  const numbers = [...text.matchAll(/\b\d{1,3}\b/g)].map(([number]) => Number(number));
  const asBytes = Buffer.from(numbers.filter((number) => number < 256)).toString('latin1');
  assert.ok(!asBytes.includes('Wierzba'), `${where} shows the name as numbers`);
  for (const [run] of text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)) {
    assert.ok(!Buffer.from(run, 'base64').includes('Wierzba'), `${where} shows the name as base64`);
  }
}
