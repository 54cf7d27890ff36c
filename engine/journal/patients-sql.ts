/** The queries of the patient index, on keys.sqlite, by name, as in `sql.ts`. */

const columns = 'patient, practice, at, survivor, source, ring';

export const patients = {
  put: `insert into practice (${columns}) values (?, ?, ?, ?, ?, ?) ${unlessLater('practice')}`,
  putLately: `insert into practice_lately (${columns}) values (?, ?, ?, ?, ?, ?)
    ${unlessLater('practice_lately')}`,
  // Sorted, so that each page is written once.
  settle: `insert into practice (${columns}) select ${columns} from practice_lately
    where patient >= @from and patient < @to order by patient ${unlessLater('practice')}`,
  dropSettled: 'delete from practice_lately where patient >= @from and patient < @to',
  // Of what was said at the same time the last counts.
  said: `select practice, at, survivor as "into", source from practice where patient = @patient
    union all
    select practice, at, survivor, source from practice_lately where patient = @patient`,
  settled: 'select practice, at, survivor as "into" from practice where patient = ?',
  // A list never undoes a merge, nor what was said later.
  putListed: `insert into practice (patient, practice, at, source, ring) values (?, ?, ?, 1, ?)
    on conflict (patient) do update set practice = excluded.practice, at = excluded.at, source = 1,
      ring = excluded.ring
    where practice.survivor is null and (excluded.at > practice.at
      or (excluded.at = practice.at and excluded.practice <> practice.practice))`,
} as const;

function unlessLater(table: string): string {
  return `on conflict (patient) do update set practice = excluded.practice, at = excluded.at,
      survivor = excluded.survivor, source = excluded.source, ring = excluded.ring
    where excluded.at >= ${table}.at`;
}
