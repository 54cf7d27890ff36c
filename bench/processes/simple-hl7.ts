/** simple-hl7 as its example sets it up: every message is acknowledged, nothing is stored. */
import { createRequire } from 'node:module';
import { listenOnLoopback } from './loopback.ts';

/** The part of its interface that is used here: the package has no types. */
interface SimpleHl7 {
  tcp(): {
    use(layer: (request: unknown, response: { end(): void }, next: () => void) => void): void;
    start(port: number): void;
  };
}

listenOnLoopback();
const { tcp } = createRequire(import.meta.url)('simple-hl7') as SimpleHl7;
const app = tcp();
app.use((_request, response, _next) => response.end());
app.start(0);
