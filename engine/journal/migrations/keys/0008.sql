-- What an exchange is by everything that has few values. The exchanges of one kind lie in order of
-- time, so a listing by any of these, or several, goes over the kinds that fit, and never over an
-- exchange that does not.
create table kind (
  id integer primary key,
  channel integer not null,
  state text not null,
  fault text not null,          -- '' where there is none, as in the next two
  sender text not null,
  type text not null,
  exchanges integer not null,   -- of this kind
  unique (channel, state, fault, sender, type)
);
alter table exchange add column kind integer;
create index exchange_kind on exchange (kind);
drop index exchange_practice;
create index exchange_practice on exchange (practice, kind) where practice is not null;
-- Kinds do what these did, and one is cheaper to keep than four.
drop index exchange_channel;
drop index exchange_state;
drop index exchange_fault;
drop index exchange_sender;
drop table state_count;

-- All of it comes from the blocks.
update mark set journal = null;
