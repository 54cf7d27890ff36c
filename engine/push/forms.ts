/**
 * Every form in which a GP record is pushed, each declared once: its message, what it has a place
 * for, and how it is laid out. The channel's `push`, `gatehouse check` and docs/profile.md follow from it.
 */
import { type Dataset, datasets } from '../gp/port.ts';
import { type ContentVersion, contentVersion } from '../hl7/version.ts';
import type { Profile } from '../mapping/mapped.ts';

export interface PushForm {
  /** MSH-9.1 and MSH-9.2, as `push.as` names it. */
  type: string;
  /** MSH-9.3 */
  structure: string;
  /** MSH-9.2 and MSH-9.3 where a version has others. */
  before?: { version: ContentVersion; event: string; structure: string };
  /** What it is for, in a few words. */
  says: string;
  /** The datasets it has a place for. */
  offers: readonly Dataset[];
  /** How the mapping lays the record out for it. */
  profile: Profile;
}

/** The forms, the one to choose first. */
export const pushForms = [
  {
    type: 'ORU^R01',
    structure: 'ORU_R01',
    says: 'the whole record, as results under an OBR for each dataset',
    offers: datasets,
    profile: 'r04',
  },
  {
    type: 'MDM^T02',
    structure: 'MDM_T02',
    says: 'the whole record, as one document to read',
    offers: datasets,
    profile: 'text',
  },
  {
    type: 'REF^I12',
    structure: 'REF_I12',
    says: 'the whole record, with allergies and problems as AL1 and DG1',
    offers: datasets,
    profile: 'i05',
  },
  {
    type: 'PPR^PC1',
    structure: 'PPR_PC1',
    says: 'problems',
    offers: ['PAT', 'PRB'],
    profile: 'ppr',
  },
  {
    type: 'VXU^V04',
    structure: 'VXU_V04',
    says: 'immunisations',
    offers: ['PAT', 'IMM'],
    profile: 'v03',
  },
  {
    type: 'RDE^O11',
    structure: 'RDE_O11',
    before: { version: '2.3', event: 'O01', structure: 'RDE_O01' },
    says: 'medication, where the site has a rule for the dose that HL7 requires and no GP record states',
    offers: ['MED'],
    profile: 'rsp',
  },
] as const satisfies readonly PushForm[];

export type FormType = (typeof pushForms)[number]['type'];

/** The names of the forms. */
export const formTypes = pushForms.map(({ type }) => type) as [FormType, ...FormType[]];

/** The form of a name. */
export function formOf(type: FormType): PushForm {
  const found = pushForms.find((form) => form.type === type);
  if (!found) throw new RangeError(`there is no form ${type}`);
  return found;
}

/** MSH-9 of a form in a version. */
export function messageTypeOf(form: PushForm, version: string) {
  const [code = '', event = ''] = form.type.split('^');
  const { before } = form;
  if (before && contentVersion(version) === before.version) {
    return { code, event: before.event, structure: before.structure };
  }
  return { code, event, structure: form.structure };
}
