/**
 * The effects a route may ask for, and every outcome each can have. A route is proved against this
 * table: an outcome with no way to an answer is an error of `gatehouse check`.
 */
export const effects = {
  identify: {
    says: 'read the NHS number by its authority and check its digits',
    outcomes: ['found', 'refused'],
  },
  authorise: {
    says: 'check user, role, organisation and consent, and whether the query wants the rest of an answer',
    outcomes: ['found', 'continues', 'refused'],
  },
  resume: {
    says: 'find the record of which this query wants the next part (DSC-1)',
    outcomes: ['found', 'refused'],
  },
  trace: {
    says: 'find the patient\u2019s practice in PDS',
    outcomes: ['found', 'notFound', 'restricted', 'refused', 'permanent', 'transient', 'timeout'],
  },
  traceIndex: {
    says: 'find the patient\u2019s practice in the index kept from ADT messages',
    outcomes: ['found', 'notFound', 'timeout'],
  },
  locate: {
    says: 'find the practice\u2019s endpoint in the practice table or SDS',
    outcomes: ['found', 'notFound', 'refused', 'permanent', 'transient', 'timeout'],
  },
  locateHtml: {
    says: 'find where the practice gives its record as HTML, where the channel allows it',
    outcomes: ['found', 'notFound', 'refused', 'permanent', 'transient', 'timeout'],
  },
  ask: {
    says: 'ask the GP system for the record, and for what the channel wants beside it',
    outcomes: [
      'reply',
      'notFound',
      'refused',
      'notEnabled',
      'permanent',
      'transient',
      'ambiguous',
      'timeout',
    ],
  },
  second: {
    says: 'take the second endpoint, where the channel names one',
    outcomes: ['found', 'notFound'],
  },
  map: {
    says: 'turn the reply into HL7 v2 segments',
    outcomes: ['found', 'permanent'],
  },
  register: {
    says: 'keep the patient\u2019s registered practice (PD1) and merges (MRG) in the index',
    outcomes: ['found', 'refused'],
  },
  deliver: {
    says: 'owe the message to each destination the channel delivers to',
    outcomes: ['found'],
  },
  wait: { says: 'wait before the next attempt', outcomes: ['elapsed', 'timeout'] },
} as const satisfies Record<string, { says: string; outcomes: readonly string[] }>;

export type EffectName = keyof typeof effects;
export type OutcomeName = (typeof effects)[EffectName]['outcomes'][number];

/** How a route can end: each names the answer that is given, or what a push sends. */
export const ends = {
  record: 'the mapped GP record, or the GP system\u2019s own HL7 answer',
  fault: 'the answer the fault table gives for the last outcome',
  accepted: 'an acknowledgement: the message is stored',
  compose: 'in a push alone: the mapped GP record, as the message that is sent',
} as const;
export type EndName = keyof typeof ends;
