/** Every error a practice's system can answer with, whatever leads to it. */
import type { ScenarioName } from '../../../engine/simulator/scenarios.ts';
import { ask, nel } from '../caller.ts';
import { type Part, type Row, systems } from './row.ts';

const unknown = (sent: string, nhsNumber: string): Row => ({
  sent,
  ask: (sim) => ask(sim, { nhsNumber }),
  status: 404,
  code: 'PATIENT_NOT_FOUND',
});

/** GP Connect 1.6, "Error handling": code, and the HTTP status it comes with. */
const codes: [ScenarioName, number][] = [
  ['INVALID_NHS_NUMBER', 400],
  ['INVALID_IDENTIFIER_SYSTEM', 400],
  ['INVALID_IDENTIFIER_VALUE', 400],
  ['INVALID_PATIENT_DEMOGRAPHICS', 400],
  ['BAD_REQUEST', 400],
  ['CONFLICTING_VALUES', 400],
  ['NO_PATIENT_CONSENT', 403],
  ['NO_ORGANISATION_CONSENT', 403],
  ['ACCESS DENIED', 403],
  ['NO_RELATIONSHIP', 403],
  ['PATIENT_NOT_FOUND', 404],
  ['ORGANISATION_NOT_FOUND', 404],
  ['PRACTITIONER_NOT_FOUND', 404],
  ['NO_RECORD_FOUND', 404],
  ['DUPLICATE_REJECTED', 409],
  ['INVALID_RESOURCE', 422],
  ['INVALID_PARAMETER', 422],
  ['REFERENCE_NOT_FOUND', 422],
  ['INTERNAL_SERVER_ERROR', 500],
  ['NOT_IMPLEMENTED', 501],
];

export const errors: Part = {
  title: 'Practice: patients and errors',
  clause: 'GP Connect 1.6, "Error handling"',
  system: systems.provider,
  rows: [
    unknown('a patient it does not know', '9990000190'),
    unknown('a restricted patient', '9990000107'),
    unknown('a patient who has died', '9990000115'),
    unknown('a patient registered elsewhere', '9990000034'),
    ...codes.map(([code, status]): Row => ({
      sent: `the scenario ${code}`,
      async ask(sim) {
        sim.set(nel, { name: code });
        try {
          return await ask(sim);
        } finally {
          sim.set(nel, undefined);
        }
      },
      status,
      code,
    })),
  ],
};
