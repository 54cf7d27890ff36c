/** Every part of the proof, in the order in which they run. */
import { fuzz } from './fuzz.ts';
import { kill } from './kill.ts';
import type { Part } from './part.ts';
import { power } from './power.ts';
import { wire } from './wire.ts';

export const parts: readonly Part[] = [kill, power, wire, fuzz];
