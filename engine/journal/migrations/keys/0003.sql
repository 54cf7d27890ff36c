-- Messages on their way to destinations. Most end as delivered, so only what is open or parked is
-- indexed: the queues of the destinations, and the dead letters.
create table outbound (
  exchange integer not null,
  destination text not null,    -- channel/destination
  state text not null,
  attempts integer not null,
  fault text,
  since integer not null,       -- microseconds since 1970
  primary key (exchange, destination)
) without rowid;
create index outbound_open on outbound (destination, exchange)
  where state in ('owed', 'sending', 'failed');
create index outbound_parked on outbound (exchange) where state = 'parked';
