/** The queries of re-encryption, by name, as in `sql.ts`. */

/** On journal.sqlite. */
export const resealing = {
  // Bodies lie apart from this, so many blocks are looked at in no time.
  headsAfter: `select id, key, length(body) as bytes from block
    where id > ? and id <= ? order by id limit ?`,
  reseal: 'update block set key = @key, tag = @tag, body = @body where id = @id',
  endSessions: 'delete from key where ring <> ?',
} as const;

/** On keys.sqlite. */
export const rehashing = {
  hashed: 'select block, ring, hashed from mark',
  setHashed: 'update mark set ring = ?, hashed = ?',
  patientOf: 'select patient from exchange where id = ?',
  setPatient: 'update exchange set patient = @now where id = @exchange and patient = @old',
  setByPatient: `update or replace by_patient set patient = @now
    where period = @period and patient = @old and exchange = @exchange`,
  endSessions: 'delete from session where ring <> ?',
} as const;

/** On keys.sqlite: what is known of a patient, under another key. */
export const moving = {
  // The later word stays, as when both were said under one key.
  copy: `insert into practice (patient, practice, at, survivor, source, ring)
    select @now, practice, at, survivor, source, @ring from practice where patient = @old
    on conflict (patient) do update set
      practice = iif(excluded.at > practice.at, excluded.practice, practice.practice),
      survivor = iif(excluded.at > practice.at, excluded.survivor, practice.survivor),
      source = iif(excluded.at > practice.at, excluded.source, practice.source),
      at = max(excluded.at, practice.at)`,
  drop: 'delete from practice where patient = ?',
  follow: 'update practice set survivor = @now where survivor = @old',
  isKnown: `select 1 from practice where patient = @old
    union all select 1 from practice where survivor = @old limit 1`,
} as const;

/** On both, for telling what still needs a key. */
export const use = {
  practicesAfter: `select patient, ring from practice where patient > @after
    and not exists (select 1 from practice_lately l where l.patient = practice.patient)
    union all select patient, ring from practice_lately where patient > @after
    order by patient limit @most`,
  dropPractice: 'delete from practice where patient = ? and ring is ?',
} as const;
