/**
 * The journal's side of retention: deleting blocks for good, in steps short enough for a commit to
 * wait for one. A block in which an exchange is spared stays; what else it held goes.
 */
import type { Database } from 'better-sqlite3';
import { giveBack } from './database.ts';
import type { Places } from './forgetting.ts';
import type { Channel } from './gather.ts';
import type { Resealed, Sealer } from './resealing.ts';
import type { Opener, SealedBlock } from './seal.ts';
import { read, write } from './sql.ts';
import { thinned } from './thin.ts';

export interface Clearing {
  /**
   * Delete some blocks of a channel before a time, oldest first. From then on its exchanges before
   * that time are forgotten, except for those to spare.
   * @returns how many blocks were looked at; 0 when none is left
   */
  forget(channel: number, before: number): number;
  /** Spare exchanges of a channel where they have entries: said before their time is forgotten. */
  spare(channel: number, places: Places): void;
  /** Spare these of a channel no longer: delete what stayed because of them alone. */
  release(channel: number, places: Places): void;
  /**
   * Delete these exchanges where they have entries, whatever else is in their blocks.
   * A block is never taken away by this, or what names it would seem to be damaged.
   * @returns bytes
   */
  remove(places: Places): number;
  /** Give some free space back. @returns pages given back; 0 when there is no more to do */
  shrink(): number;
}

/** How many blocks, or bytes of blocks, one step takes at most: a few milliseconds. */
const blocksPerStep = 64;
const bytesPerStep = 4 * 1024 * 1024;
const pagesPerStep = 512;

/** What becomes of a block: deleted, or sealed again with what is left in it. */
type Change = { block: number } & ({ left?: undefined } | { left: Resealed & { appends: number } });

export function createClearing(database: Database, opener: Opener, sealer: Sealer): Clearing {
  const statements = {
    channels: database.prepare<[], Channel>(read.channels),
    block: database.prepare<[number], SealedBlock>(read.block),
    toForget: database.prepare<[object], { id: number; bytes: number }>(write.blocksToForget),
    sparedIn: database.prepare<[number], number>(write.sparedIn).pluck(),
    spare: database.prepare(write.spare),
    release: database.prepare(write.release),
    drop: database.prepare(write.dropBlock),
    thin: database.prepare(write.thinBlock),
    setForgotten: database.prepare(write.setForgotten),
    setCleared: database.prepare(write.setCleared),
    oldestOfChannels: database.prepare<[], number>(write.oldestOfChannels).pluck(),
  };

  /** Done before a transaction, so that the lock is held for a short time. */
  function planned(id: number, staying: readonly number[]): Change[] {
    if (staying.length === 0) return [{ block: id }];
    const stay = new Set(staying);
    return thinning(id, (exchange) => stay.has(exchange));
  }

  function thinning(id: number, stays: (exchange: number) => boolean): Change[] {
    const sealed = statements.block.get(id);
    const left = sealed && thinned(opener.open(sealed), stays);
    if (!sealed || !left) return [];
    const again = sealer.sealAgain(sealed, left.bytes);
    return [{ block: id, left: { appends: left.appends, ...again } }];
  }

  function apply(changes: readonly Change[]): void {
    for (const { block, left } of changes) {
      if (left) statements.thin.run({ id: block, ...left });
      else statements.drop.run(block);
    }
  }

  const spareAtOnce = database.transaction((channel: number, places: Places): void => {
    for (const [block, exchange] of pairs(places)) statements.spare.run(block, exchange, channel);
  });

  const clearAtOnce = database.transaction(
    (channel: number, before: number, changes: readonly Change[], cleared: number): void => {
      if (channel !== 0) statements.setForgotten.run({ channel, before });
      apply(changes);
      statements.setCleared.run({ channel, cleared });
    },
  );

  const clearedOf = (channel: number): number =>
    statements.channels.all().find(({ id }) => id === channel)?.cleared ?? 0;

  /** One step over the blocks of a channel. @returns how many it looked at */
  function step(channel: number, before: number): number {
    const cleared = clearedOf(channel);
    const found = statements.toForget.all({ channel, cleared, before, most: blocksPerStep });
    const changes: Change[] = [];
    let bytes = 0;
    let looked = 0;
    for (const one of found) {
      if (bytes > bytesPerStep) break;
      changes.push(...planned(one.id, statements.sparedIn.all(one.id)));
      bytes += one.bytes;
      looked += 1;
    }
    const next =
      found[looked]?.id ??
      (found.length < blocksPerStep ? before : (found[looked - 1]?.id ?? 0) + 1);
    clearAtOnce.immediate(channel, before, changes, Math.max(cleared, next));
    return looked;
  }

  const releaseAtOnce = database.transaction((places: Places, changes: readonly Change[]): void => {
    for (const [block, exchange] of pairs(places)) statements.release.run(block, exchange);
    apply(changes);
  });

  return {
    spare: (channel, places) => spareAtOnce.immediate(channel, places),
    forget(channel, before) {
      const looked = step(channel, before);
      if (looked > 0) return looked;
      // Marks of delivery outlive no exchange: those older than all blocks of channels go last.
      return step(0, statements.oldestOfChannels.get() ?? before);
    },
    release(channel, places) {
      const cleared = clearedOf(channel);
      const released = new Map<number, number[]>();
      for (const [block, exchange] of pairs(places)) {
        released.set(block, [...(released.get(block) ?? []), exchange]);
      }
      const changes = [...released].flatMap(([block, exchanges]) => {
        // What is not yet cleared holds others, whose time is still to come.
        if (block >= cleared) return [];
        const staying = statements.sparedIn.all(block).filter((one) => !exchanges.includes(one));
        return planned(block, staying);
      });
      releaseAtOnce.immediate(places, changes);
    },
    remove(places) {
      const going = new Map<number, Set<number>>();
      for (const [block, exchange] of pairs(places)) {
        going.set(block, (going.get(block) ?? new Set()).add(exchange));
      }
      let freed = 0;
      const changes = [...going].flatMap(([block, exchanges]) => {
        const found = thinning(block, (exchange) => !exchanges.has(exchange));
        const before = statements.block.get(block)?.body.length ?? 0;
        for (const { left } of found) freed += before - (left?.body.length ?? 0);
        return found;
      });
      releaseAtOnce.immediate(places, changes);
      return freed;
    },
    shrink: () => giveBack(database, pagesPerStep),
  };
}

function* pairs(places: Places): Generator<[block: number, exchange: number]> {
  for (let at = 0; at < places.length; at += 2) yield [places[at] ?? 0, places[at + 1] ?? 0];
}
