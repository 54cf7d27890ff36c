-- Keys that arrive in random order lie by period, a period being so many exchanges: however many
-- there are, a merge writes into the last period alone, which is small enough to stay in memory.
drop table by_control;
drop table by_patient;
create table period (
  id integer primary key,
  first integer not null,       -- holds exchanges from this id on, up to the next period
  exchanges integer not null
);
create table by_control (
  period integer, control text, exchange integer, primary key (period, control, exchange)
) without rowid;
create table by_patient (
  period integer, patient blob, exchange integer, primary key (period, patient, exchange)
) without rowid;

-- Senders are few: as with channels, it grows at the end of each.
create index exchange_sender on exchange (sender) where sender is not null;

-- How much each channel stored in each hour (since 1970): what retention by size goes by.
create table usage (
  channel integer,
  hour integer,
  exchanges integer not null,   -- that began in it
  bytes integer not null,       -- of the blocks stored in it
  primary key (channel, hour)
) without rowid;

-- A copy of what the blocks cannot be opened or named without, for when journal.sqlite is damaged
-- where it stands. A salt is no secret.
create table session (id integer primary key, ring blob not null, salt blob not null);
create table channel (id integer primary key, name text not null, cleared integer not null);

-- All of it comes from the blocks.
update mark set journal = null;
