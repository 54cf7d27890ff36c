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
  blocksToForget: `select id from block
    where id >= @cleared and id < @before and channel = @channel order by id limit @most`,
  dropBlock: 'delete from block where id = ?',
  // Walks over marks of delivery at the lower end, if they are older than every exchange.
  oldestOfChannels: `select id from block
    where id >= (select cleared from channel where id = 0) and channel <> 0 order by id limit 1`,
} as const;

/** On journal.sqlite, by everyone who reads it. */
export const read = {
  identity: 'select id from journal',
  session: 'select ring, salt from key where id = ?',
  rings: 'select distinct ring from key',
  channels: 'select id, name, forgotten from channel',
  lastBlock: 'select max(id) from block',
  block: 'select id, channel, key, appends, tag, body from block where id = ?',
  blocksAfter:
    'select id, channel, key, appends, tag, body from block where id > ? order by id limit ?',
  appendsAfter: 'select coalesce(sum(appends), 0) from block where id > ?',
} as const;

/** On keys.sqlite, by the thread that writes it. */
export const index = {
  mark: 'select journal, block, exchanges from mark',
  setMark: 'update mark set journal = ?, block = ?, exchanges = ?',
  clear: `delete from exchange; delete from by_control; delete from by_patient;
    delete from middle_block; delete from outbound`,
  lastExchange: 'select max(id) from exchange',
  exchange: 'select * from exchange where id = ?',
  // By place: naming sixteen values costs more than storing them.
  putExchange:
    'insert or replace into exchange values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  putControl: 'insert or ignore into by_control values (?, ?)',
  putPatient: 'insert or ignore into by_patient values (?, ?)',
  // Sorted, so that each table is written front to back.
  putNewControls: bulk('by_control', 'control'),
  putNewPatients: bulk('by_patient', 'patient'),
  putMiddleBlock: 'insert or ignore into middle_block values (?, ?)',
  putOutbound: `insert into outbound values (?, ?, ?, ?, ?, ?)
    on conflict (exchange, destination) do update set state = excluded.state,
      attempts = max(outbound.attempts, excluded.attempts),
      fault = excluded.fault, since = excluded.since`,
  dropOutbound: 'delete from outbound where exchange = ?',
  putPractice: `insert into practice values (?, ?, ?)
    on conflict (patient) do update set practice = excluded.practice, at = excluded.at
    where excluded.at >= practice.at`,
  oldestOf: `select id, control, patient from exchange
    where channel = @channel and id < @before order by id limit @most`,
  dropExchange: 'delete from exchange where id = ?',
  dropControl: 'delete from by_control where control = ? and exchange = ?',
  dropPatient: 'delete from by_patient where patient = ? and exchange = ?',
  dropMiddleBlocks: 'delete from middle_block where exchange = ?',
} as const;

/** On keys.sqlite, by everyone who reads it. */
export const find = {
  middleBlocks: 'select block from middle_block where exchange = ? order by block',
  practice: 'select practice, at from practice where patient = ?',
  // A repeat has the control id of the first: fingerprints need no index of their own.
  repeats: `select k.exchange from by_control k cross join exchange e on e.id = k.exchange
    where k.control = ? and k.exchange >= ? and e.fingerprint = ? order by k.exchange desc`,
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
  fingerprints: `select id, fingerprint from exchange
    where id >= ? and fingerprint is not null order by id desc limit ?`,
} as const;

const others = `(@channel is null or +e.channel = @channel)
    and (@state is null or +e.state = @state)
    and (@fault is null or +e.fault = @fault)
    and (@controlId is null or e.control = @controlId)
    and (@sender is null or +e.sender = @sender)
    and (@patient is null or e.patient = @patient)
    and (@practice is null or +e.practice = @practice)`;

/**
 * Listings, newest first, each led by the index of one field of the filter. In the order in which
 * a listing looks for the first that its filter gives: the rarest first. Senders are few, so a
 * sender's newest are met soon on the way back from now.
 */
export const list = {
  controlId: byKey('by_control', 'control', '@controlId'),
  patient: byKey('by_patient', 'patient', '@patient'),
  fault: byColumn('e.fault = @fault'),
  practice: byColumn('e.practice = @practice'),
  // Most end as answered: those are found quickly without an index, and so not in it.
  state: byColumn("e.state = @state and e.state <> 'answered'"),
  channel: byColumn('e.channel = @channel'),
  any: byColumn('true'),
} as const;

function bulk(table: string, column: string): string {
  return `insert or ignore into ${table} select ${column}, id from exchange
    where id > ? and ${column} is not null order by ${column}, id`;
}

function byColumn(leading: string): string {
  return `select e.* from exchange e where ${leading}
    and e.id between @since and @until and ${others} order by e.id desc limit @limit`;
}

function byKey(table: string, column: string, value: string): string {
  return `select e.* from ${table} k cross join exchange e on e.id = k.exchange
    where k.${column} = ${value} and k.exchange between @since and @until and ${others}
    order by k.exchange desc limit @limit`;
}
