-- What retention spared: exchanges that are open or parked, although their channel keeps others not
-- so long. A block stays for as long as one of them is in it, and holds nothing else.
create table spared (
  block integer not null,
  exchange integer not null,
  channel integer not null references channel (id),
  primary key (block, exchange)
) without rowid;
create index spared_exchange on spared (exchange);
