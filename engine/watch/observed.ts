/** What is seen of a running engine at one moment: the vocabulary of the watch. */
import type { Channel } from '../channel.ts';
import type { ListenerState } from '../mllp/listener.ts';
import type { ConnectionStatus } from '../mllp/mllp.ts';
import type { QueueStatus } from '../outbound/outbound.ts';
import type { Suspension } from '../suspensions.ts';

/** Times are milliseconds since 1970. */
export interface ObservedChannel {
  channel: string;
  host: string;
  /** The one it listens on, or wants to. */
  port: number;
  /** `paused`, `stopped`: by a person; see `suspended`. */
  state: ListenerState | Suspension['how'];
  suspended: Suspension | null;
  connections: ConnectionStatus[];
  /** When the last message came; null where none has, as far as the journal remembers. */
  last: number | null;
  /** Since when it is watched: the start of the engine, or the change that added it. */
  since: number;
  expects: Channel['expects'];
}

export interface ObservedDestination {
  /** `channel/destination` */
  to: string;
  /** `removed`: messages are owed to it, but no channel delivers to it any more. */
  state: QueueStatus['state'] | 'removed';
  /** Messages waiting; with `more`, at least so many. */
  depth: number;
  more: boolean;
  /** When the message came that has waited longest. */
  oldest: number | null;
  /** Since when it cannot be reached. */
  downSince: number | null;
  /** Why the last attempt failed. */
  fault: string | null;
  nextTry: number | null;
  /** Dead letters in the journal. */
  parked: number;
  /** Limits beyond which it is told; null for one that is removed. */
  limits: { depth: number; age: number; down: number; parked: number } | null;
}

/** A system that is asked while a sender waits: PDS, SDS, a GP system. */
export interface ObservedSystem {
  /** `channel/destination` */
  name: string;
  state: 'answers' | 'failing';
  /** Failures in a row. */
  failures: number;
  since: number;
}

export interface ObservedCertificate {
  /** What it is for, and where it stands, for example `channel adt-feed: server certificate`. */
  subject: string;
  /** Its last moment; null where it cannot be read. */
  until: number | null;
}

/** Free and all space of the data folder, bytes. */
export interface ObservedDisk {
  folder: string;
  free: number;
  total: number;
}

export interface ObservedJournal {
  /** When it failed last, and the code; null where it has not since the start. */
  failed: { at: number; code: string } | null;
}

export interface Observed {
  at: number;
  channels: ObservedChannel[];
  destinations: ObservedDestination[];
  systems: ObservedSystem[];
  certificates: ObservedCertificate[];
  disk: ObservedDisk | null;
  journal: ObservedJournal;
  /** The last attempt to change the configuration, where it was refused. */
  refused: { at: number; detail: string } | null;
}
