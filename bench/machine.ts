/** The machine a run was made on: figures say little without it. */
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { describeDisk } from './disk.ts';

export interface Machine {
  processor: string;
  cores: number;
  /** GB. */
  memory: number;
  system: string;
  node: string;
  disk: string;
  /** How many processes wanted to run over the last minute, before we began. */
  load: number;
}

/** @param folder where the journal lies */
export function describeMachine(folder: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    disk: describeDisk(folder),
    load: loadavg()[0] ?? 0,
  };
}
