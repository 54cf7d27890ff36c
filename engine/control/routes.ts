/** Everything a running engine can be asked over its control socket. */
import type { Engine } from '../engine.ts';
import type { Emit } from '../events.ts';
import { ackErrorRoutes } from './ack-error.ts';
import { channelRoutes } from './channels.ts';
import { pruneRoutes } from './prune.ts';
import { certificateRoutes } from './certificates.ts';
import { keyRoutes } from './keys.ts';
import { configRoutes } from './config.ts';
import { queueRoutes } from './queues.ts';
import { replayRoutes } from './replay.ts';
import { tapRoutes } from './tap.ts';
import type { Route } from './router.ts';
import { statusRoutes } from './status.ts';

/** The routes of an engine; a new one is one line here. */
export function controlRoutes(engine: Engine, emit: Emit): Route[] {
  return [
    ...channelRoutes(engine, emit),
    ...configRoutes(engine, emit),
    ...queueRoutes(engine, emit),
    ...ackErrorRoutes(engine, emit),
    ...certificateRoutes(engine, emit),
    ...keyRoutes(engine, emit),
    ...replayRoutes(engine, emit),
    ...pruneRoutes(engine, emit),
    ...statusRoutes(engine),
    ...tapRoutes(engine),
  ];
}
