/** The simulated GP side: PDS, SDS, the Spine proxy and the practices behind it. */
import { join, resolve } from 'node:path';
import { startGpSimulator } from '../../engine/simulator/gp.ts';
import { tellPort } from './requests.ts';

const [, , patients = join(resolve(import.meta.dirname, '../..'), 'fixtures', 'patients')] =
  process.argv;
const simulator = await startGpSimulator({ patients });
tellPort(simulator.port);
