/** `scenario: 9990000018 unavailable at=provider first=1`: what goes wrong in a case, and for whom. */
import { z } from 'zod';
import { nearest } from '../config/yaml.ts';
import { type MllpScenario, mllpScenarios } from '../simulator/mllp-gp.ts';
import { type Scenario, readScenario, scenarios } from '../simulator/scenarios.ts';

/** A scenario of the HTTP systems, or of the GP system that speaks HL7 v2 (`at=mllp`). */
export type CaseScenario =
  | { nhsNumber: string; at: 'http'; scenario: Scenario }
  | { nhsNumber: string; at: 'mllp'; scenario: MllpScenario };

/** What is wrong with a scenario line, and how one is written. */
export interface Wrong {
  says: string;
  next?: string;
}

const example = 'write it as 9990000018 unavailable at=provider first=1';

const mllpFigures = z.strictObject({
  at: z.literal('mllp'),
  ms: z.int().min(0).optional(),
  first: z.int().min(1).optional(),
});

/** Read a scenario line: an NHS number, a name, and figures such as `at=pds`, `first=1`, `ms=500`. */
export function readScenarioLine(text: string): CaseScenario | Wrong {
  const [nhsNumber = '', ...words] = text.split(/ +/);
  const figures = words.filter((word) => word.includes('='));
  // GP Connect's own name of one error, "ACCESS DENIED", has a space.
  const name = words.filter((word) => !word.includes('=')).join(' ');
  if (!/^\d{10}$/.test(nhsNumber) || name === '') {
    return { says: 'a scenario is an NHS number and a name', next: example };
  }
  const given: Record<string, string | number> = {};
  for (const figure of figures) {
    const [, key, value = ''] = /^(\w+)=(\w+)$/.exec(figure) ?? [];
    if (key === undefined) return { says: `"${figure}" is no figure of a scenario`, next: example };
    given[key] = /^\d+$/.test(value) ? Number(value) : value;
  }
  const at = given.at === 'mllp' ? given.at : 'http';
  const known = at === 'mllp' ? Object.keys(mllpScenarios) : [...scenarios.keys()];
  if (!known.includes(name)) {
    const near = nearest(name, known);
    return { says: `there is no scenario "${name}"${near ? `; did you mean "${near}"?` : ''}` };
  }
  if (at === 'mllp') {
    const read = mllpFigures.safeParse(given);
    if (!read.success) return { says: oneLine(z.prettifyError(read.error)), next: example };
    const { ms, first } = read.data;
    return { nhsNumber, at, scenario: { name: name as MllpScenario['name'], ms, first } };
  }
  try {
    return { nhsNumber, at, scenario: readScenario({ ...given, name }) };
  } catch (error) {
    return { says: oneLine((error as Error).message), next: example };
  }
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, ' ');
