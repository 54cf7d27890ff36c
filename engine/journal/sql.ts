/**
 * Every query, by name. A test holds the plan of each: no big table is scanned and nothing is
 * sorted aside. `+column` tells SQLite not to choose that column's index.
 */

/** On journal.sqlite, by the thread that writes it. */
export const write = {
  begin: 'begin immediate',
  commit: 'commit',
  rollback: 'rollback',
  addSession: 'insert into key (ring, salt) values (?, ?)',
  addChannel: 'insert or ignore into channel (id, name) values (?, ?)',
  addBlock: 'insert into block (id, channel, key, appends, tag, body) values (?, ?, ?, ?, ?, ?)',
  setForgotten: 'update channel set forgotten = max(forgotten, @before) where id = @channel',
  cleared: 'select cleared from channel where id = ?',
  setCleared: 'update channel set cleared = @cleared where id = @channel',
  // Walks only over what was stored since the last deletion, whatever other channels keep.
  blocksToForget: `select id, length(body) as bytes from block
    where id >= @cleared and id < @before and channel = @channel order by id limit @most`,
  dropBlock: 'delete from block where id = ?',
  thinBlock:
    'update block set key = @key, appends = @appends, tag = @tag, body = @body where id = @id',
  spare: 'insert or ignore into spared (block, exchange, channel) values (?, ?, ?)',
  sparedIn: 'select exchange from spared where block = ?',
  release: 'delete from spared where block = ? and exchange = ?',
  // Walks over marks of delivery at the lower end, if they are older than every exchange.
  oldestOfChannels: `select id from block
    where id >= (select cleared from channel where id = 0) and channel <> 0
    and id not in (select block from spared) order by id limit 1`,
} as const;

/** On journal.sqlite, by everyone who reads it. */
export const read = {
  identity: 'select id from journal',
  session: 'select ring, salt from key where id = ?',
  rings: 'select distinct ring from key',
  sessions: 'select id, ring, salt from key where id > ? order by id',
  channels: 'select id, name, forgotten, cleared from channel',
  isSpared: 'select 1 from spared where exchange = ? limit 1',
  spared: 'select block, exchange from spared where channel = ? order by block',
  // The last block there is or, where retention has deleted it, was.
  end: `select max(coalesce((select max(id) from block), 0), (select max(cleared) from channel))`,
  block: 'select id, channel, key, appends, tag, body from block where id = ?',
  blocksAfter:
    'select id, channel, key, appends, tag, body from block where id > ? order by id limit ?',
  appendsAfter: 'select coalesce(sum(appends), 0) from block where id > ?',
  bytesBetween: `select coalesce(sum(length(body)), 0) from block
    where id >= ? and id < ? and channel = ?`,
  sparedBytes: `select b.id, length(b.body) as bytes from block b
    where b.channel = @channel and b.id < @before
    and b.id in (select block from spared where channel = @channel)`,
} as const;

/** On keys.sqlite, by the thread that writes it. */
export const index = {
  mark: 'select journal, block, exchanges from mark',
  setMark: 'update mark set journal = ?, block = ?, exchanges = ?',
  clear: `delete from exchange; delete from by_control; delete from by_patient; delete from by_practice;
    delete from middle_block; delete from outbound; delete from usage; delete from period;
    delete from session; delete from channel; delete from kind`,
  lastExchange: 'select max(id) from exchange',
  exchangesAfter: 'select count(*) from exchange where id > ?',
  exchange: 'select * from exchange where id = ?',
  // By place: naming so many values costs more than storing them.
  putExchange: `insert or replace into exchange
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  period: 'select id, exchanges from period order by id desc limit 1',
  periodOf: 'select id from period where first <= ? order by id desc limit 1',
  addPeriod: 'insert into period (first, exchanges) values (?, 0)',
  countInPeriod: 'update period set exchanges = exchanges + ? where id = ?',
  // Those before the one that holds the first exchange; that one is then the first.
  dropPeriods: `delete from period where id < (select id from period
    where first <= (select min(id) from exchange) order by id desc limit 1)`,
  firstPeriod: 'update period set first = 0 where id = (select min(id) from period)',
  putControl: 'insert or ignore into by_control values (?, ?, ?)',
  putPatient: 'insert or ignore into by_patient values (?, ?, ?)',
  putByPractice: 'insert or ignore into by_practice values (?, ?, ?, ?)',
  // Sorted, so that each table is written front to back.
  putNewControls: bulk('by_control', 'control'),
  putNewPatients: bulk('by_patient', 'patient'),
  putNewByPractice: bulk('by_practice', 'practice, kind'),
  putMiddleBlock: 'insert or ignore into middle_block values (?, ?)',
  putOutbound: `insert into outbound values (?, ?, ?, ?, ?, ?)
    on conflict (exchange, destination) do update set state = excluded.state,
      attempts = max(outbound.attempts, excluded.attempts),
      fault = excluded.fault, since = excluded.since`,
  dropOutbound: 'delete from outbound where exchange = ?',
  use: `insert into usage values (?, ?, ?, ?) on conflict (channel, hour)
    do update set exchanges = exchanges + excluded.exchanges, bytes = bytes + excluded.bytes`,
  kind: `select id from kind
    where channel = ? and state = ? and fault = ? and sender = ? and type = ?`,
  addKind: `insert into kind (channel, state, fault, sender, type, exchanges)
    values (?, ?, ?, ?, ?, 0)`,
  countKind: 'update kind set exchanges = exchanges + ? where id = ?',
  dropEmptyKinds: 'delete from kind where exchanges <= 0',
  clearUsage: 'update usage set bytes = 0 where channel = ? and hour < ?',
  dropUsage: 'delete from usage where channel = ? and exchanges <= 0 and bytes = 0',
  lastSession: 'select coalesce(max(id), 0) from session',
  putSession: 'insert or replace into session values (?, ?, ?)',
  putChannel: 'insert or replace into channel values (?, ?, ?)',
  // What retention spares: what is parked, and what is not done yet.
  parked: ofKinds("k.state = 'parked'"),
  unfinished: ofKinds("k.state in ('received', 'asking', 'mapping')"),
  // And what a person spares.
  faulty: ofKinds("(k.fault <> '' or k.state = 'rejected')"),
  notAnswered: ofKinds("k.state <> 'answered'"),
  withParkedDelivery: `select e.id from outbound o cross join exchange e on e.id = o.exchange
    where o.state = 'parked' and o.exchange > @after and o.exchange < @before
    and e.channel = @channel order by o.exchange limit @most`,
  parkedDeliveries: `select e.id from outbound o cross join exchange e on e.id = o.exchange
    where o.state = 'parked' and o.exchange >= @since and o.exchange < @before
    and e.channel = @channel`,
  openDeliveries: `select e.id from outbound o indexed by outbound_open cross join exchange e on e.id = o.exchange
    where o.state in ('owed', 'sending', 'failed')
    and o.exchange >= @since and o.exchange < @before and e.channel = @channel`,
  dropExchange: 'delete from exchange where id = ?',
  dropControl: 'delete from by_control where period = ? and control = ? and exchange = ?',
  dropPatient: 'delete from by_patient where period = ? and patient = ? and exchange = ?',
  dropByPractice: `delete from by_practice
    where period = ? and practice = ? and kind = ? and exchange = ?`,
  dropMiddleBlocks: 'delete from middle_block where exchange = ?',
} as const;

/** On keys.sqlite, by everyone who reads it. */
export const find = {
  middleBlocks: 'select block from middle_block where exchange = ? order by block',
  // A repeat has the control id of the first: fingerprints need no index of their own.
  repeats: `select k.exchange from period p
    cross join by_control k on k.period = p.id and k.control = ? and k.exchange >= ?
    cross join exchange e on e.id = k.exchange
    where e.fingerprint = ? order by p.id desc, k.exchange desc`,
  outboundOf: `select exchange, destination as "to", state, attempts, fault, since
    from outbound where exchange = ?`,
  // The queue of a destination: what is open, however much was delivered before.
  outboundOpen: `select exchange, destination as "to", state, attempts, fault, since
    from outbound where destination = @to and state in ('owed', 'sending', 'failed')
    and exchange > @after and (@fault is null or fault = @fault)
    and instr(@states, state) order by exchange limit @limit`,
  outboundParked: `select exchange, destination as "to", state, attempts, fault, since
    from outbound where state = 'parked' and exchange > @after
    and (@to is null or destination = @to) and (@fault is null or fault = @fault)
    and instr(@states, state) order by exchange limit @limit`,
  outbound: `select exchange, destination as "to", state, attempts, fault, since
    from outbound where exchange > @after and (@to is null or destination = @to)
    and (@fault is null or fault = @fault)
    and instr(@states, state) order by exchange limit @limit`,
  outboundCounts: `select destination as "to", state, fault, count(*) as count, min(exchange) as oldest
    from outbound where state in ('owed', 'sending', 'failed') group by destination, state, fault
    union all
    select destination, state, fault, count(*), min(exchange)
    from outbound where state = 'parked' group by destination, fault`,
  oldest: 'select min(id) from exchange',
  usage: 'select channel, hour, exchanges, bytes from usage order by channel, hour',
  kindsOf: `select id from kind where +channel = @channel and id >= @from
    and (@state is null or state = @state) order by id`,
  nextOfKind: `select id from exchange where kind = @kind and id > @after and id < @before
    order by id limit @most`,
  usageByChannel: 'select channel, sum(bytes) as bytes from usage group by channel',
  fingerprints: `select id, fingerprint from exchange
    where id >= ? and fingerprint is not null order by id desc limit ?`,
} as const;

/** For making a new journal of a damaged one. */
export const salvage = {
  ofJournal: {
    sessions: 'select id, ring, salt from key',
    channels: 'select id, name, cleared from channel',
    spared: 'select block, exchange, channel from spared',
  },
  ofIndex: {
    sessions: 'select id, ring, salt from session',
    channels: 'select id, name, cleared from channel',
    exchanges: 'select id, channel, first_block as first, last_block as last from exchange',
  },
  // A block that was sealed again is the later one.
  putBlock: `insert into block (id, channel, key, appends, tag, body)
    values (@id, @channel, @key, @appends, @tag, @body)
    on conflict (id) do update set key = excluded.key, appends = excluded.appends,
      tag = excluded.tag, body = excluded.body where excluded.key > block.key`,
  hasBlock: 'select 1 from block where id = ?',
  count: 'select count(*) as blocks, coalesce(sum(appends), 0) as appends from block',
  channelsOfBlocks: 'select distinct channel from block',
  putSession: 'insert or ignore into key (id, ring, salt) values (?, ?, ?)',
  putChannel: `insert into channel (id, name, forgotten, cleared) values (@id, @name, @before, @before)
    on conflict (id) do update set forgotten = excluded.forgotten, cleared = excluded.cleared`,
  putSpared: 'insert into spared (block, exchange, channel) values (?, ?, ?)',
} as const;

/** For telling what a deletion would take away. */
export const pruning = {
  countBefore: `select count(*) from kind k cross join exchange e on e.kind = k.id
    where k.channel = @channel and e.id < @before`,
  lengthOf: 'select length(body) from block where id = ?',
} as const;

/** For telling what there is. */
export const statistics = {
  kinds: `select channel, state, exchanges,
    (select min(e.id) from exchange e where e.kind = kind.id) as oldest,
    (select max(e.id) from exchange e where e.kind = kind.id) as newest from kind`,
  blockAfter: 'select min(id) from block where id > ?',
  spared: 'select count(distinct exchange) from spared',
} as const;

/** For verifying that the index and the blocks say the same. */
export const verify = {
  place: 'select id, channel, first_block, last_block from exchange where id = ?',
  placesAfter: `select id, channel, first_block, last_block from exchange
    where id > ? order by id limit ?`,
  isMiddle: 'select 1 from middle_block where exchange = ? and block = ?',
  isStored: 'select 1 from block where id = ?',
  notByControl: notByKey('by_control', 'control'),
  notByPatient: notByKey('by_patient', 'patient'),
  notByPractice: notByKey('by_practice', 'practice', 'and k.kind = e.kind'),
  wrongByPractice: `select k.exchange from by_practice k where not exists (select 1 from exchange e
    where e.id = k.exchange and e.practice = k.practice and e.kind = k.kind)`,
} as const;

const fewValued = (of: string): string => `(@channel is null or +${of}.channel = @channel)
    and (@state is null or ${of}.state = @state)
    and (@fault is null or ${of}.fault = @fault)
    and (@type is null or substr(${of}.type || '^', 1, length(@type) + 1) = @type || '^')
    and (@sender is null or ${of}.sender = @sender)`;

const others = `${fewValued('e')}
    and (@controlId is null or e.control = @controlId)
    and (@patient is null or e.patient = @patient)
    and (@practice is null or e.practice = @practice)`;

/**
 * Listings, newest first. A control id or a patient has few exchanges, which are looked at one by
 * one. Everything else has few values: the kinds that fit are merged, and nothing else is read.
 */
export const list = {
  controlId: byKey('by_control', 'control', '@controlId'),
  patient: byKey('by_patient', 'patient', '@patient'),
  any: `select * from exchange where id between @since and @until order by id desc limit @limit`,
  // The newest exchange of each kind that fits; null where it has none in this time.
  heads: `select k.id as kind, (select max(e.id) from exchange e
      where e.kind = k.id and e.id between @since and @until) as head
    from kind k where ${fewValued('k')}`,
  ofKind: `select id from exchange
    where kind = @kind and id between @since and @until order by id desc limit @most`,
  // Of a practice period by period: of the kinds that fit it has few in each.
  kinds: `select k.id from kind k where ${fewValued('k')} order by k.id`,
  periods: 'select id, first from period where first <= @until order by id desc',
  headOfPractice: `select kind, exchange as head from by_practice where period = ? and practice = ?
    and kind >= ? and exchange between ? and ? order by kind, exchange desc limit 1`,
  ofPractice: `select exchange from by_practice where period = ? and practice = ? and kind = ?
    and exchange between ? and ? order by exchange desc limit ?`,
} as const;

function ofKinds(which: string): string {
  return `select e.id from kind k cross join exchange e on e.kind = k.id
    where k.channel = @channel and ${which} and e.id >= @since and e.id < @before`;
}

function bulk(table: string, columns: string): string {
  const [column] = columns.split(',');
  return `insert or ignore into ${table} select ?, ${columns}, id from exchange
    where id > ? and ${column} is not null order by ${columns}, id`;
}

function notByKey(table: string, column: string, others = ''): string {
  return `select e.id from exchange e where e.${column} is not null and not exists (
    select 1 from ${table} k where k.exchange = e.id and k.${column} = e.${column} ${others}
      and k.period = (select id from period where first <= e.id order by id desc limit 1))`;
}

function byKey(table: string, column: string, value: string): string {
  return `select e.* from period p
    cross join ${table} k on k.period = p.id and k.${column} = ${value}
      and k.exchange between @since and @until
    cross join exchange e on e.id = k.exchange
    where ${others} order by p.id desc, k.exchange desc limit @limit`;
}
