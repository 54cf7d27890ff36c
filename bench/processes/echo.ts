/** The yardstick: an MLLP server that stores nothing. */
import { acknowledgeAll } from './acknowledging.ts';

acknowledgeAll();
