/** Every part of the proof, in the order in which they run. */
import { flood } from './flood.ts';
import { fuzz } from './fuzz.ts';
import { kill } from './kill.ts';
import type { Part } from './part.ts';
import { power } from './power.ts';
import { strain } from './strain.ts';
import { soak } from './soak.ts';
import { wire } from './wire.ts';

export const parts: readonly Part[] = [kill, power, wire, strain, flood, fuzz, soak];
