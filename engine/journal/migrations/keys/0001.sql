-- What exchanges can be found by. All but `practice` can be built again from the journal: delete
-- the file, start the engine. Patients are here only as a keyed hash.

create table mark (
  journal blob,                 -- the journal this was built from
  block integer not null,       -- the last block that is in here
  exchanges integer not null
);
insert into mark values (null, 0, 0);

create table exchange (
  id integer primary key,       -- microseconds since 1970
  channel integer not null,
  state text not null,
  delivery text,
  sender text,
  control text,
  type text,
  practice text,
  fault text,
  patient blob,
  fingerprint integer,          -- 53 bits of it
  repeat_of integer,
  first integer,                -- when its first and its last entry happened
  last integer,
  first_block integer not null, -- the first and the last block that hold its entries
  last_block integer not null
);
-- A few values each, so these grow at their ends; most rows are in the first one only.
create index exchange_channel on exchange (channel);
create index exchange_state on exchange (state) where state <> 'answered';
create index exchange_practice on exchange (practice) where practice is not null;
create index exchange_fault on exchange (fault) where fault is not null;

-- These arrive in random order, so each merge writes them sorted, one table after the other.
create table by_control (control text, exchange integer, primary key (control, exchange)) without rowid;
create table by_patient (patient blob, exchange integer, primary key (patient, exchange)) without rowid;
create table by_fingerprint (fingerprint integer, exchange integer, primary key (fingerprint, exchange)) without rowid;

-- The blocks between the first and the last. A message that is answered at once has none.
create table middle_block (exchange integer, block integer, primary key (exchange, block)) without rowid;

-- The practice an ADT message last named for a patient; outlives the messages that said so.
create table practice (patient blob primary key, practice text not null, at integer not null) without rowid;
