/** What Node makes of the sources is kept for the next run, and for the commands that tests start. */
import module from 'node:module';
import { join } from 'node:path';

module.enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'gatehouse'));
