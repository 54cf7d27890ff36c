-- 1 where the row came from a list of patients, not from an ADT message.
alter table practice add column listed integer;
