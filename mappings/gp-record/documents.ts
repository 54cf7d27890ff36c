/** The two halves of a media type, as RP and ED hold them (HL7 v2.4 §2.9.16 and §2.9.37). */
import type { MappingFunction } from '../../engine/mapping/library.ts';

const halves = (value: unknown): string[] =>
  typeof value === 'string' ? (value.split(';')[0] ?? '').trim().split('/') : [];

/** `application` of `application/pdf`. */
export const mainType: MappingFunction = ([type]) => halves(type).slice(0, 1).filter(Boolean);

/** `pdf` of `application/pdf`. */
export const subtype: MappingFunction = ([type]) => halves(type).slice(1, 2).filter(Boolean);
