/** The key of a channel that says which organisations may ask. */
import { z } from 'zod';
import { text } from './values.ts';

const organisation = z.strictObject({
  ods: text.meta({ description: 'ODS code of the asking organisation' }),
  name: text.optional(),
  asid: text.optional().meta({ description: 'its own ASID (Ssp-From)' }),
  codes: z
    .array(text)
    .default([])
    .meta({ description: 'what its own system calls it, where that sends no ODS code' }),
});

/** Nobody may ask as somebody else because two organisations share a code. */
function unambiguous(all: readonly z.infer<typeof organisation>[]): boolean {
  const codes = all.flatMap(({ ods, codes: own }) => [...new Set([ods, ...own])]);
  return new Set(codes).size === codes.length;
}

export const organisations = z
  .array(organisation)
  .refine(unambiguous, 'a code stands for one organisation only')
  .default([])
  .meta({ description: 'organisations that may ask; each asks under its own ASID' });
