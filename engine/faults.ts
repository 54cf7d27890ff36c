/**
 * Every failure Gatehouse can have, and what it says to the hospital: nowhere else is a failure
 * named, classed or worded.
 *
 * `class` decides what happens next (house rule: retry on class, never on text):
 * - transient: it may work when asked again;
 * - ambiguous: it may have happened; only a read may be repeated;
 * - permanent: asking again gives the same answer.
 *
 * `msa` is MSA-1 in original mode (table 0008), `qak` is QAK-2 (table 0208), `err` is the code of
 * table 0357 in ERR. Where `msa` is AA there is no ERR: a v2.4 ERR carries no severity and hosts
 * read it as a failure.
 */
export type FaultClass = 'transient' | 'ambiguous' | 'permanent';

export interface FaultDefinition {
  /** Stable code, `GH-nnnn`; `gatehouse explain CODE` prints this row. */
  code: `GH-${number}`;
  class: FaultClass;
  msa: 'AA' | 'AE' | 'AR';
  qak: 'NF' | 'AE' | 'AR' | null;
  err: string | null;
  /** One sentence for the hospital and the analyst. Never patient data. */
  says: string;
  /** The one next step for the analyst. */
  next: string;
}

// prettier-ignore
const table = {
  // 1xxx: bytes and connections
  frameTooLong: row(1001, 'permanent', 'AR', null, '207', 'The frame is longer than this channel accepts.', 'Raise limits.frame of the channel if messages of this size are expected.'),
  frameCutShort: row(1002, 'transient', 'AR', null, '207', 'The connection ended inside a frame; the message was not accepted.', 'The sender should send it again; look for a network device that cuts long transfers.'),
  frameNoStart: row(1003, 'permanent', 'AR', null, '207', 'Bytes arrived without the start byte VT (0x0B) of MLLP.', 'Set the sender to MLLP framing: VT, message, FS, CR.'),
  frameGarbage: row(1004, 'permanent', 'AR', null, '207', 'Bytes between two frames were skipped.', 'Look at the stored bytes with "gatehouse message show"; the sender or a device between adds them.'),
  frameTimeout: row(1005, 'transient', 'AR', null, '207', 'The rest of a frame did not arrive in time; the message was not accepted.', 'The sender should send it again; raise limits.inFrame if its link is slow.'),
  frameUnterminated: row(1006, 'permanent', 'AR', null, '207', 'A frame ended with FS but without CR.', 'Set framing: lenient on the channel, or the sender to end frames with FS CR.'),
  frameEmpty: row(1007, 'permanent', 'AR', null, '207', 'An empty frame was ignored.', 'Nothing to do if the sender uses empty frames as a keep-alive.'),
  connectionLimit: row(1008, 'transient', 'AR', null, '207', 'The channel has as many connections as it allows.', 'Raise limits.connections of the channel, or find the peer that leaves connections open.'),
  connectionIdle: row(1009, 'transient', 'AR', null, '207', 'The connection was closed after its idle time.', 'Raise limits.idle of the channel if the sender keeps quiet connections on purpose.'),
  tlsRefused: row(1010, 'permanent', 'AR', null, '207', 'The TLS handshake failed; the connection was refused.', 'Compare the certificates and the protocol version of both sides.'),
  portBusy: row(1011, 'transient', 'AR', null, '207', 'The port is held by another process.', 'End the process that holds the port ("gatehouse doctor" names it), or change listen in the channel.'),

  // 2xxx: the message as HL7
  notHl7: row(2001, 'permanent', 'AR', null, '207', 'The frame does not hold an HL7 v2 message (no MSH segment).', 'Look at the stored bytes with "gatehouse message show".'),
  charsetUtf16: row(2002, 'permanent', 'AR', null, '207', 'The message is in UTF-16, which MLLP framing cannot carry safely.', 'Set the sender to UTF-8 or ISO 8859.'),
  mshShort: row(2004, 'permanent', 'AE', null, '101', 'MSH-9 (message type) or MSH-10 (control id) is missing.', 'The sender must value MSH-9 and MSH-10.'),
  typeNotAccepted: row(2005, 'permanent', 'AR', null, '200', 'This channel does not accept this message type (MSH-9.1).', 'Add the type to accepts in the channel, or send it to another one.'),
  eventNotAccepted: row(2006, 'permanent', 'AR', null, '201', 'This channel does not accept this trigger event (MSH-9.2).', 'Add the event to accepts in the channel, or send it to another one.'),
  processingIdNotAccepted: row(2007, 'permanent', 'AR', null, '202', 'This channel does not accept this processing id (MSH-11).', 'Test messages go to a test channel; see processing in the channel.'),
  versionNotAccepted: row(2008, 'permanent', 'AR', null, '203', 'This channel does not accept this HL7 version (MSH-12).', 'Add the version to accepts in the channel.'),
  requiredMissing: row(2009, 'permanent', 'AE', 'AE', '101', 'A required field is missing.', 'See the ERR segment for the field.'),
  valueInvalid: row(2010, 'permanent', 'AE', 'AE', '102', 'A field does not hold a valid value.', 'See the ERR segment for the field.'),
  segmentMissing: row(2011, 'permanent', 'AE', 'AE', '100', 'A required segment is missing or out of order.', 'See the ERR segment for the segment.'),
  tableValue: row(2012, 'permanent', 'AE', 'AE', '103', 'A coded field holds a value that is not in its table.', 'See the ERR segment for the field and docs/profile.md for the table.'),
  pointerUnknown: row(2013, 'permanent', 'AE', 'AE', '204', 'The rest of this answer is not held: the continuation pointer (DSC-1) is unknown or has expired.', 'Ask again from the beginning, without DSC.'),
  batchNotAccepted: row(2014, 'permanent', 'AR', null, '207', 'This channel takes no batches (FHS, BHS).', 'Set batches: split on the channel, or have the sender send each message by itself.'),
  batchInconsistent: row(2015, 'permanent', 'AE', null, '207', 'The batch does not hold what its headers and trailers say, so nothing of it was accepted.', '"gatehouse message explain" says what differs; the sender must send the whole batch again.'),
  batchPartlyRefused: row(2016, 'permanent', 'AE', null, '207', 'Some messages of the batch were refused; the others are stored.', '"gatehouse message explain" names the refused ones; the rest may be sent again without harm.'),
  controlIdReused: row(2017, 'permanent', 'AE', 'AE', '205', 'This sender has sent another message under the same control id (MSH-10).', 'The sender must give each message an MSH-10 of its own; or set repeats.otherBytes: accept on the channel.'),

  // 3xxx: may this sender and this user ask
  senderNotAllowed: row(3001, 'permanent', 'AE', 'AE', '207', 'This sending application or facility may not ask on this channel (MSH-3, MSH-4).', 'Add it to senders in the channel once the site has agreed.'),
  askerMissing: row(3002, 'permanent', 'AE', 'AE', '101', 'The query does not say who asks: user, role profile, organisation and consent are required.', 'Value QPD-7, QPD-8, QPD-9 and QPD-10, or the fields that asker in the channel names.'),
  consentRefused: row(3003, 'permanent', 'AE', 'AE', '207', 'The patient has refused permission to view; the GP record was not asked for.', 'Do not ask again unless the patient changes the decision.'),
  emergencyReasonMissing: row(3004, 'permanent', 'AE', 'AE', '101', 'Emergency access needs a reason.', 'Value QPD-11 when QPD-10 is E.'),
  organisationNotAllowed: row(3005, 'permanent', 'AE', 'AE', '207', 'The asking organisation is not registered on this channel.', 'Add its ODS code and ASID to organisations in the channel.'),

  // 4xxx: patient and practice
  nhsNumberMissing: row(4001, 'permanent', 'AE', 'AE', '101', 'The query holds no NHS number with the authority NHS or NH.', 'Send it as 9999999999^^^NHS^NH, in QRD-8 as 9999999999^^^^^^^^NHS; it is never taken by position.'),
  nhsNumberInvalid: row(4002, 'permanent', 'AE', 'AE', '102', 'The NHS number fails its check digit (modulus 11).', 'Correct the number at the sender.'),
  nhsNumberSuperseded: row(4003, 'permanent', 'AE', 'AE', '204', 'The NHS number has been superseded and the current one could not be used.', 'Trace the patient again.'),
  patientNotFound: row(4004, 'permanent', 'AA', 'NF', null, 'No GP record available for this NHS number; this does not mean nothing is recorded', 'Nothing to mend here; "gatehouse message explain" says which system answered so.'),
  patientRestricted: row(4005, 'permanent', 'AA', 'NF', null, 'No GP record available for this NHS number; this does not mean nothing is recorded', 'The record is restricted. The hospital must not be able to tell this from an unknown patient.'),
  practiceUnknown: row(4006, 'permanent', 'AA', 'NF', null, 'No GP record available for this NHS number; this does not mean nothing is recorded', 'PDS names no current general practitioner for this patient.'),
  nhsNumbersDiffer: row(4009, 'permanent', 'AE', 'AE', '102', 'The query holds more than one NHS number, so nobody can say whose record is asked for.', 'Send one NHS number in a query.'),
  practiceNotEnabled: row(4007, 'permanent', 'AE', 'AE', '207', 'The patient\'s practice does not offer this service.', 'Check the practice in the directory (SDS) or in the channel\'s practice table.'),
  directoryEntryUnusable: row(4008, 'permanent', 'AE', 'AE', '207', 'The directory\'s entry for the patient\'s practice cannot be used.', 'Operator: "gatehouse message explain" says what is wrong with it; report it to SDS, or put the practice into the channel\'s practice table.'),

  // 5xxx: the GP side
  gpTimeout: row(5001, 'transient', 'AR', 'AR', '207', 'The GP record is temporarily unavailable: no reply in time.', 'A repeat may help; "gatehouse message explain" shows each attempt.'),
  gpUnavailable: row(5002, 'transient', 'AR', 'AR', '207', 'The GP record is temporarily unavailable.', 'A repeat may help; "gatehouse message explain" shows each attempt.'),
  gpNoPatientConsent: row(5003, 'permanent', 'AE', 'AE', '207', 'Patient has not provided consent to share data', 'Do not repeat: the patient has opted out at the practice.'),
  gpNoOrganisationConsent: row(5004, 'permanent', 'AE', 'AE', '207', 'Organisation has not provided consent to share data', 'Do not repeat: the practice has to activate the sharing agreement.'),
  gpAccessDenied: row(5005, 'permanent', 'AE', 'AE', '207', 'Access has been denied to process this request', 'Do not repeat: check the sharing agreement and the user\'s role.'),
  gpNoRelationship: row(5006, 'permanent', 'AE', 'AE', '207', 'No legitimate relationship exists with this patient', 'Do not repeat.'),
  spineRefused: row(5007, 'permanent', 'AE', 'AE', '207', 'The Spine proxy refused the request: this organisation\'s ASID or the interaction is not registered.', 'Operator: check the ASID, party key and interaction in SDS for the asking organisation.'),
  gpReplyUnreadable: row(5008, 'transient', 'AR', 'AR', '207', 'The GP record is temporarily unavailable: the reply could not be read.', 'Look at the stored reply with "gatehouse message show --part reply".'),
  gpReplyTooLong: row(5009, 'permanent', 'AE', 'AE', '207', 'The GP system\'s reply is longer than this channel accepts.', 'Raise reply of the destination in the channel.'),
  gpRejectedRequest: row(5010, 'permanent', 'AE', 'AE', '207', 'The GP system rejected the request as wrong.', 'Operator: see the diagnostics in "gatehouse message explain".'),
  traceUnavailable: row(5012, 'transient', 'AR', 'AR', '207', 'The patient\'s practice could not be looked up: temporarily unavailable.', 'A repeat may help; check PDS with "gatehouse message explain".'),
  directoryUnavailable: row(5013, 'transient', 'AR', 'AR', '207', 'The practice\'s endpoint could not be looked up: temporarily unavailable.', 'A repeat may help; check SDS with "gatehouse message explain".'),
  wrongPatient: row(5015, 'permanent', 'AE', 'AE', '207', 'The GP system replied for a different NHS number; its reply was not passed on.', 'Operator: report it to the GP system\'s supplier at once.'),
  deadlinePassed: row(5016, 'transient', 'AR', 'AR', '207', 'The GP record is temporarily unavailable: the time the sender allows ran out.', 'A repeat may help; see patience in the channel.'),
  accessRefused: row(5017, 'permanent', 'AE', 'AE', '207', 'PDS or SDS refused our credentials.', 'Operator: check the API key, token and their expiry.'),
  lookupRejected: row(5018, 'permanent', 'AE', 'AE', '207', 'PDS or SDS rejected the request as wrong.', 'Operator: see the status and code in "gatehouse message explain"; check the address of the destination.'),
  queryNotForwarded: row(5021, 'permanent', 'AE', 'AE', '207', 'The patient\'s practice cannot be asked by this kind of query.', 'Ask by another kind, or add this one to accepts of the destination if its system understands it.'),
  gatewayAccessRefused: row(5031, 'permanent', 'AE', 'AE', '207', 'The Clinical Data Gateway refused our credentials.', 'Operator: check the token of the destination and its expiry; the gateway wants one of CIS2 at AAL3.'),
  gatewayRefusedUpstream: row(5032, 'permanent', 'AE', 'AE', '207', 'The GP system refused the request; the Clinical Data Gateway does not say why, so nothing is known about the record.', 'Do not repeat: the reason (no consent, unknown patient, wrong request) is known to the gateway and the practice alone; give them the Ssp-TraceID of "gatehouse message show --part asking".'),

  // 6xxx: the journal
  journalUnavailable: row(6001, 'transient', 'AR', 'AR', '207', 'The message could not be stored; it was not accepted.', 'Check the disk and the folder of the journal (--data).'),
  journalFull: row(6002, 'transient', 'AR', 'AR', '207', 'The message could not be stored: the disk is full.', 'Free disk space or shorten retention.'),
  journalLocked: row(6003, 'transient', 'AR', 'AR', '207', 'The message could not be stored: the journal is locked by another process.', 'Find the process that holds the journal.'),
  journalKeyUnreadable: row(6004, 'permanent', 'AR', 'AR', '207', 'The journal\'s key file is missing or does not hold a key.', 'Restore the key file from backup, or name it with --key-file; without it nothing stored can be read.'),
  journalKeyExposed: row(6005, 'permanent', 'AR', 'AR', '207', 'The journal\'s key file can be read by others than its owner.', 'chmod 600 the key file; if others may have read it, "gatehouse key rotate --reencrypt" seals all that is stored with a new one.'),
  journalKeyWrong: row(6006, 'permanent', 'AR', 'AR', '207', 'The key file does not hold the key this journal was written with.', 'Name the right key file with --key-file, or restore it from backup; old keys stay in the file, above the current one.'),
  journalHeld: row(6007, 'permanent', 'AR', 'AR', '207', 'Another process has this journal open for writing.', 'Stop the other "gatehouse serve", or give this one a folder of its own; reading beside it is allowed.'),
  journalVersion: row(6008, 'permanent', 'AR', 'AR', '207', 'The journal was written by another version of Gatehouse.', 'Run the version that wrote it or a newer one; a newer one brings it up to date when the engine starts.'),
  journalDamaged: row(6009, 'permanent', 'AR', 'AR', '207', 'A part of the journal does not open with its key: it is damaged or was changed.', '"gatehouse store verify" says what else is damaged. Keep the files as they are and compare them with a backup; check the disk.'),
  journalCorrupt: row(6010, 'permanent', 'AR', 'AR', '207', 'The files of the journal are damaged or not complete.', 'Copy the folder before anything else. "gatehouse store verify" says what is damaged; "gatehouse store salvage" makes a new journal of all that can be read, and says what is lost.'),
  indexDamaged: row(6011, 'transient', 'AR', 'AR', '207', 'The index of the journal (keys.sqlite) is damaged.', 'Nothing: the engine sets it aside and builds it again from the journal. Check the disk.'),
  indexIncomplete: row(6012, 'transient', 'AR', 'AR', '207', 'The index of the journal is not built yet, and without it there is too much to look through.', 'Start the engine, or wait for it: it builds the index before it listens, at some ten thousand messages a second.'),

  // 7xxx: delivery to a destination, after the acknowledgement; the sender never sees these
  destinationUnavailable: row(7001, 'transient', 'AR', null, '207', 'The destination cannot be reached; the message waits and is tried again.', 'Check its address and whether it is running: "gatehouse queue list".'),
  acknowledgementTimeout: row(7002, 'ambiguous', 'AR', null, '207', 'The message was written, and no acknowledgement came in time; it is sent again, flagged as a possible duplicate.', 'Look at the receiver\'s log for this MSH-10; raise timeout of the destination if it is slow.'),
  acknowledgementUnreadable: row(7003, 'ambiguous', 'AR', null, '207', 'What came back is no acknowledgement that can be understood, so the message does not count as delivered.', 'Look at the stored bytes with "gatehouse message show --part reply"; the receiver must answer with MSA.'),
  acknowledgedError: row(7004, 'permanent', 'AE', null, '207', 'The destination answered AE: it refuses the content of the message.', 'See its ERR with "gatehouse message show --part reply"; mend the mapping, then replay.'),
  acknowledgedReject: row(7005, 'transient', 'AR', null, '207', 'The destination answered AR: it rejects the message or cannot work.', 'See its ERR with "gatehouse message show --part reply".'),
  acknowledgedCommitError: row(7006, 'transient', 'AR', null, '207', 'The destination answered CE: it cannot store the message now.', 'It is tried again; check the receiver\'s storage.'),
  acknowledgedCommitReject: row(7007, 'permanent', 'AR', null, '207', 'The destination answered CR: it does not take this type, version or processing id.', 'Filter such messages with when, or change what the mapping writes into MSH.'),
  preparationFailed: row(7008, 'permanent', 'AE', null, '207', 'The message could not be turned into what this destination is sent.', '"gatehouse message explain" names the rule; mend the mapping, then replay.'),
  messageMissing: row(7009, 'permanent', 'AE', null, '207', 'The bytes of a message that is owed to a destination are not in the journal.', 'Ask the sender for the message again, and compare the journal with a backup: it may be damaged.'),
  applicationAckMissing: row(7010, 'ambiguous', 'AE', null, '207', 'The destination accepted the message (CA), and its application acknowledgement did not come in time.', 'Look at the receiver\'s log for this MSH-10: it has the message; replay it only where it was not worked on.'),
  acknowledgementUnexpected: row(7011, 'permanent', 'AE', null, '207', 'This acknowledges nothing that is waited for here: it came too late, or from another system.', 'Compare MSA-2 and MSH-3 with what was sent; raise acknowledge.timeout where it came too late.'),
  sentBefore: row(7020, 'ambiguous', 'AE', null, '207', 'A person had the message sent again though it was, or may have been, delivered before; it is flagged as a possible duplicate.', 'Nothing to do where the receiver knows it again by its MSH-10; "gatehouse message explain" names the earlier exchange.'),
  holdsUnreadable: row(7021, 'permanent', 'AR', null, '207', 'A file of what persons hold or have stopped (held.json, suspended.json), or of what has halted (halted.json), cannot be read, so nobody knows what must not be sent or taken.', 'Mend the file or remove it from the folder of the journal; without it nothing is held, stopped or halted.'),
  pushGivenUp: row(7030, 'permanent', 'AE', null, '207', 'The GP record could not be had within the time this push allows for it; nothing was sent.', '"gatehouse message explain" shows each attempt; replay once the GP side is back, or raise patience of the push.'),
  formLacksPlace: row(7031, 'permanent', 'AE', null, '207', 'The GP record holds no order, and the form of this push has no other place for what the GP system says of it; nothing was sent.', 'Push it as ORU^R01 or MDM^T02 too: those have a place for every data status.'),

  // 8xxx: mapping
  mappingFailed: row(8001, 'permanent', 'AE', 'AE', '207', 'The GP record could not be turned into HL7 v2 without loss, so it was not sent.', 'Operator: "gatehouse mapping try" with the stored reply shows the rule that failed.'),
  codeUnknown: row(8002, 'permanent', 'AE', 'AE', '207', 'A code in the GP record has no row in a table whose rule for unknown codes is "error".', 'Add the row to the table, or choose another rule in the mapping.'),

  // 9xxx: ourselves
  internalError: row(9001, 'transient', 'AR', 'AR', '207', 'The engine failed while it worked on this message.', 'Report the fault; "gatehouse message explain" names the step.'),
  interrupted: row(9003, 'ambiguous', 'AR', 'AR', '207', 'The engine stopped while it worked on this message; it was not answered.', 'The sender should send it again; the GP system may have been asked once already.'),
  shuttingDown: row(9002, 'transient', 'AR', 'AR', '207', 'The engine is stopping; the message was not accepted.', 'The sender should send it again.'),
} satisfies Record<string, FaultDefinition>;

export type FaultName = keyof typeof table;

/** The fault table, by name. */
export const faults: Readonly<Record<FaultName, FaultDefinition>> = table;

/** Where in the message a fault lies; becomes ERR-1 (to 2.4) or ERR-2 (from 2.5). */
export interface FaultLocation {
  segment: string;
  /** 1-based occurrence of the segment. */
  sequence?: number;
  field?: number;
  repetition?: number;
  component?: number;
}

/** A fault as it travels: its name, where it lies, and detail for the journal (never patient data). */
export interface Fault {
  name: FaultName;
  at?: FaultLocation[];
  /** For the analyst: status codes, reason codes, limits. Never patient data. */
  detail?: string;
  /** Text the GP side wants shown word for word (for example the NHS display of a refusal). */
  verbatim?: string;
}

/** An error that carries a fault, for code that must throw. */
export class FaultError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault, options?: { cause?: unknown }) {
    super(`${faults[fault.name].code} ${faults[fault.name].says}`, options);
    this.name = 'FaultError';
    this.fault = fault;
  }
}

/** The fault with this code (`GH-4002`), or undefined. */
export function faultByCode(code: string): (FaultDefinition & { name: FaultName }) | undefined {
  for (const [name, definition] of Object.entries(faults)) {
    if (definition.code === code) return { name: name as FaultName, ...definition };
  }
  return undefined;
}

function row(
  number: number,
  cls: FaultClass,
  msa: FaultDefinition['msa'],
  qak: FaultDefinition['qak'],
  err: string | null,
  says: string,
  next: string,
): FaultDefinition {
  return { code: `GH-${number}`, class: cls, msa, qak, err, says, next };
}
