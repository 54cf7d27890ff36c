-- How many exchanges of each channel are in each state, so that nobody has to count them.
create table state_count (
  channel integer,
  state text,
  exchanges integer not null,
  primary key (channel, state)
) without rowid;
insert into state_count select channel, state, count(*) from exchange group by channel, state;
