/**
 * What the clinician must be told besides the record itself: one sentence each, at the top of the
 * answer. They warn; they never stand in for the record.
 */
const sentences = {
  practiceFromAdt:
    "CAUTION: PDS could not be reached; the practice was taken from the hospital's own ADT messages and may be out of date.",
  practiceFromPds:
    'CAUTION: PDS could not be reached; the practice is the one that PDS named earlier and may be out of date.',
  practiceFromList:
    'CAUTION: PDS could not be reached; the practice was taken from a list of patients that the hospital imported and may be out of date.',
  secondEndpoint:
    'CAUTION: the GP system could not be reached; this is the answer of the second endpoint.',
  superseded:
    'CAUTION: the NHS number asked for has been superseded; any record in this answer is that of the current number, in PID-3.',
  deceased: 'CAUTION: PDS records this patient as deceased.',
  familyDiffers: 'CAUTION: the family name differs between PDS and the GP record.',
  givenDiffers: 'CAUTION: the given name differs between PDS and the GP record.',
  genderDiffers: 'CAUTION: the gender differs between PDS and the GP record.',
  birthDateDiffers: 'CAUTION: the date of birth differs between PDS and the GP record.',
  notCompared: 'CAUTION: the demographics of the GP record could not be compared with PDS.',
  claimedFamilyDiffers:
    'CAUTION: the family name the hospital sent differs from the one recorded for this NHS number.',
  claimedGivenDiffers:
    'CAUTION: the given name the hospital sent differs from the one recorded for this NHS number.',
  claimedGenderDiffers:
    'CAUTION: the gender the hospital sent differs from the one recorded for this NHS number.',
  claimedBirthDateDiffers:
    'CAUTION: the date of birth the hospital sent differs from the one recorded for this NHS number.',
  claimedBirthDateUnread:
    'CAUTION: the date of birth the hospital sent could not be read, and was not compared.',
  datesNotApplied:
    'CAUTION: the record is not limited to the dates asked for, except where a dataset says what was not asked for.',
  moreOfPatient:
    'CAUTION: the GP record says more about this patient than this answer has a place for; a query for the GP record with the dataset PAT gives all of it.',
} as const;

export type Caution = keyof typeof sentences;

/** What PDS says of the patient: told where there is no record, too, for it may be why. */
export function isAboutPatient(caution: Caution): boolean {
  return caution === 'superseded' || caution === 'deceased' || caution.startsWith('claimed');
}

/** The sentence of a caution, as shown to the clinician. */
export function cautionText(caution: Caution): string {
  return sentences[caution];
}
