-- Practices are thousands, and each of them has every kind: an index of all exchanges by both took
-- each new one at another place of a tree that grew for ever. Now by period, as the control ids.
create table by_practice (
  period integer, practice text, kind integer, exchange integer,
  primary key (period, practice, kind, exchange desc)
) without rowid;
-- Period by period, so that no more is sorted than one holds. A row without a kind is from before
-- kinds, and all of them come anew from the blocks.
insert into by_practice select p.id, e.practice, e.kind, e.id from period p
  cross join exchange e on e.id >= p.first
    and e.id < coalesce((select min(later.first) from period later where later.id > p.id), 9e18)
  where e.practice is not null and e.kind is not null
  order by p.id, e.practice, e.kind, e.id desc;
drop index exchange_practice;
