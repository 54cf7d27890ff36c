-- The journal proper: a log of sealed blocks. Nothing here is readable but ids, times and names
-- of channels, and no index has to be kept up before a message is acknowledged.

-- Which journal this is, so that an index built from another one is noticed.
create table journal (id blob not null);
insert into journal values (randomblob(16));

-- One row each time the engine opened the journal: block keys are derived from the key file's key
-- and this salt. `ring` tells which key of the file that was, without telling the key.
create table key (
  id integer primary key,
  ring blob not null,
  salt blob not null
);

create table channel (
  id integer primary key,
  name text not null unique,
  -- Exchanges that began before this (microseconds since 1970) are deleted for good,
  forgotten integer not null default 0,
  -- and so far their blocks before this have been: the next deletion goes on from here.
  cleared integer not null default 0
);
-- For marks of delivery that come long after the answer, when its channel is not at hand.
insert into channel (id, name) values (0, '');

-- What one commit stored for one channel: the appends it gathered, as one sealed block. No index
-- beside it: each page that a commit touches is one more page to write before the answer.
create table block (
  id integer primary key,       -- microseconds since 1970, strictly increasing
  channel integer not null references channel (id),
  key integer not null,
  appends integer not null,
  tag blob not null,
  body blob not null
);
