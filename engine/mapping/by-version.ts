/**
 * What content is written differently in a version of HL7, in one place. Mappings are written for
 * 2.4; a rule that has to know the version asks for `%version`.
 *
 * From 2.5 on the timing of an order stands in TQ1; ORC-7 is kept for backward compatibility
 * (HL7 v2.5 §4.5.1.7, §4.5.4). 2.3 requires a dose in RXO-2 and RXO-4, which no GP record gives as
 * a number; the answers that exist in 2.3 carry medication as OBX.
 */
import type { Component, Field } from '../hl7/segment.ts';
import type { ContentVersion } from '../hl7/version.ts';
import type { FieldTrace, MappedSegment } from './mapped.ts';

/** Component of TQ (ORC-7) → field of TQ1, where the text is the same. */
const timing: Readonly<Record<number, number>> = { 4: 7, 5: 8, 8: 11 };

/** TQ.3: a letter and a number → TQ1-6: quantity and unit (UCUM). L is a month. */
const units: Readonly<Record<string, readonly [string, string]>> = {
  S: ['s', 'second'],
  M: ['min', 'minute'],
  H: ['h', 'hour'],
  D: ['d', 'day'],
  W: ['wk', 'week'],
  L: ['mo', 'month'],
};

/** Segments as this version has them. */
export function inVersion(segments: MappedSegment[], version: ContentVersion): MappedSegment[] {
  if (version !== '2.5.1') return segments;
  return segments.flatMap((segment) => (segment.name === 'ORC' ? withTiming(segment) : [segment]));
}

/** ORC, and TQ1 with what ORC-7 held; a part that TQ1 has no field for stays where it is. */
function withTiming(order: MappedSegment): MappedSegment[] {
  const held = order.fields[7];
  if (!Array.isArray(held) || held.length !== 1) return [order];
  const left: Component[] = [];
  const fields: Field[] = [];
  const moved = new Map<string, string>();
  for (const [index, component] of (held[0] ?? []).entries()) {
    const [number, to] = [index + 1, timing[index + 1]];
    const lasts = number === 3 ? duration(component) : undefined;
    if (to === undefined && !lasts) left[index] = component;
    else if (component) {
      fields[to ?? 6] = lasts ?? [[component]];
      moved.set(`ORC-7.${number}`, `TQ1-${to ?? 6}`);
    }
  }
  if (fields.length === 0) return [order];
  fields[1] = '1';
  const isMoved = ({ target }: FieldTrace) => moved.has(target);
  const timed: MappedSegment = {
    name: 'TQ1',
    fields,
    from: order.from,
    trace: order.trace
      ?.filter(isMoved)
      .map((one) => ({ ...one, target: moved.get(one.target) ?? one.target })),
  };
  return [
    {
      ...order,
      fields: order.fields.with(7, left.some(Boolean) ? [left] : undefined),
      trace: order.trace?.filter((one) => !isMoved(one)),
    },
    timed,
  ];
}

function duration(component: Component): Field {
  const [, letter = '', number = ''] =
    (typeof component === 'string' && /^([SMHDWL])(\d+(?:\.\d+)?)$/.exec(component)) || [];
  const unit = units[letter];
  return unit && [[number, [...unit, 'UCUM']]];
}
