/**
 * Whether a channel takes a message at all, judged by its header alone: sender, type, event,
 * version and processing id (HL7 v2.5 §2.9.3, table 0357 codes 200 to 203).
 */
import type { Channel } from './channel.ts';
import type { Fault, FaultLocation } from './faults.ts';
import type { Message } from './hl7/message.ts';
import { hasKind, queryKind } from './query/kinds.ts';

/** Why the channel does not take the message, or undefined when it does. */
export function acceptance(channel: Channel, message: Message): Fault | undefined {
  const at = (field: number, component?: number): FaultLocation[] => [
    { segment: 'MSH', sequence: 1, field, component },
  ];
  const type = message.get('MSH-9.1');
  const event = message.get('MSH-9.2');
  if (!type) return { name: 'mshShort', at: at(9) };
  if (!message.get('MSH-10')) return { name: 'mshShort', at: at(10) };

  const application = message.get('MSH-3') ?? '';
  const facility = message.get('MSH-4') ?? '';
  const known = channel.senders.some(
    (sender) =>
      (sender.application === '*' || sender.application === application) &&
      (sender.facility === '*' || sender.facility === facility),
  );
  if (!known) return { name: 'senderNotAllowed', at: at(3) };

  const wanted = event ? `${type}^${event}` : type;
  if (!channel.accepts.some((accepted) => accepted === wanted || accepted === type)) {
    const typeKnown = channel.accepts.some((accepted) => accepted.startsWith(`${type}^`));
    return typeKnown
      ? { name: 'eventNotAccepted', at: at(9, 2) }
      : { name: 'typeNotAccepted', at: at(9, 1) };
  }
  const version = message.get('MSH-12');
  const kind = queryKind(wanted);
  if (!version || !channel.versions.includes(version) || (kind && !hasKind(version, kind))) {
    return { name: 'versionNotAccepted', at: at(12) };
  }
  const processing = message.get('MSH-11');
  if (!processing || !(channel.processing as string[]).includes(processing)) {
    return { name: 'processingIdNotAccepted', at: at(11) };
  }
  return undefined;
}
