-- What was said of patients lately. They are named in random order, and among millions each has a page
-- of its own: from here their rows go to `practice` in sorted bulk. Of two rows of one patient the later
-- counts.
create table practice_lately (
  patient blob primary key, practice text not null, at integer not null, survivor blob,
  source integer, ring blob
) without rowid;
