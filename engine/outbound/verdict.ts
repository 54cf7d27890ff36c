/**
 * What an acknowledgement says (HL7 v2.5 §2.9, tables 0008 and 0155): safe with the receiver, or
 * refused, and how. An acknowledgement that says nothing of the kind settles nothing.
 */
import { type Fault, FaultError } from '../faults.ts';
import { type Message, parseMessage } from '../hl7/message.ts';
import type { Policy } from './outbound.ts';

export type Verdict =
  /** `accepted`: CA, the receiver has stored it; an application acknowledgement may follow. */
  { event: 'delivered'; code: 'AA' | 'CA' } | { event: 'refused'; by: keyof Policy; fault: Fault };

const refusals = {
  AE: 'acknowledgedError',
  AR: 'acknowledgedReject',
  CE: 'acknowledgedCommitError',
  CR: 'acknowledgedCommitReject',
} as const;

/** What the acknowledgement with these bytes says. */
export function verdictOf(bytes: Uint8Array): Verdict {
  let reply: Message;
  try {
    reply = parseMessage(bytes);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return unreadable(error.message);
  }
  const code = reply.get('MSA-1') ?? '';
  if (code === 'AA' || code === 'CA') return { event: 'delivered', code };
  if (code === 'AE' || code === 'AR' || code === 'CE' || code === 'CR') {
    // The receiver's own words may quote the message; its condition code does not.
    const condition = reply.get('ERR-3.1') || reply.get('ERR-1.4.1') || reply.get('MSA-6.1');
    const detail = condition && /^\d{1,3}$/.test(condition) ? `condition ${condition}` : undefined;
    return { event: 'refused', by: code, fault: { name: refusals[code], detail } };
  }
  return unreadable(code ? 'MSA-1 is none of AA, AE, AR, CA, CE, CR' : 'no MSA-1');
}

function unreadable(detail: string): Verdict {
  return {
    event: 'refused',
    by: 'unreadable',
    fault: { name: 'acknowledgementUnreadable', detail },
  };
}
