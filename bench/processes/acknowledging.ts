/**
 * The least an MLLP server can do: it finds FS CR, reads MSH-10 and answers a fixed acknowledgement
 * that names it. It checks nothing.
 */
import { type AddressInfo, createServer } from 'node:net';
import { tellPort } from './requests.ts';

const head = Buffer.from(
  '\x0bMSH|^~\\&|ECHO|RECGW|MILLENNIUM|R0A|20260604101500+0000||ACK^A01^ACK|1|P|2.4\rMSA|AA|',
);
const tail = Buffer.from('\r\x1c\r');
const end = Buffer.from('\x1c\r');
const bar = 0x7c;

/**
 * Serve any port, and tell which.
 * @param store what is done with a frame before it is acknowledged; nothing unless told
 */
export function acknowledgeAll(store?: (frame: Buffer, controlId: string) => Promise<void>): void {
  const server = createServer({ noDelay: true }, (socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let stop = bytes.indexOf(end); stop >= 0; stop = bytes.indexOf(end)) {
        const id = controlIdOf(bytes);
        const answer = Buffer.concat([head, id, tail]);
        if (!store) socket.write(answer);
        else {
          void store(bytes.subarray(1, stop), id.toString('latin1')).then(() =>
            socket.write(answer),
          );
        }
        bytes = bytes.subarray(stop + end.length);
      }
      rest = bytes;
    });
  });
  server.listen(0, '127.0.0.1', () => tellPort((server.address() as AddressInfo).port));
}

/** MSH-10: what stands between the ninth separator and the tenth. */
function controlIdOf(bytes: Buffer): Buffer {
  let at = 0;
  for (let field = 1; field < 10; field++) at = bytes.indexOf(bar, at) + 1;
  return bytes.subarray(at, bytes.indexOf(bar, at));
}
