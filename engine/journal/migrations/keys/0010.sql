-- Under which key of the key file (told without telling the key) patients are hashed here, so that an
-- old key can be known to be needed no longer. Of exchanges: under the key `ring` or a later one up to
-- the block `hashed`; null before the first time they were hashed anew. Of practices: row by row, null
-- where that was before this was noted.
alter table mark add column ring blob;
alter table mark add column hashed integer not null default 0;
alter table practice add column ring blob;
create index practice_survivor on practice (survivor) where survivor is not null;
