/** What a channel file says of TLS, at its own end of a connection. */
import { z } from 'zod';
import { text } from './values.ts';

/** Where we listen. */
export const serverTls = z.strictObject({
  certificate: text.meta({ description: 'PEM file of our certificate chain' }),
  key: text.meta({ description: 'PEM file of its private key' }),
  clients: text
    .optional()
    .meta({ description: 'PEM file of the authorities whose client certificates are required' }),
});
export type ServerTls = z.output<typeof serverTls>;

/** Where we connect. */
export const clientTls = z.strictObject({
  certificate: text.optional().meta({ description: 'PEM file of our client certificate chain' }),
  key: text.optional().meta({ description: 'PEM file of its private key' }),
  authorities: text.optional().meta({ description: 'PEM file of the authorities to trust' }),
  serverName: text.optional().meta({ description: 'name to expect in the server certificate' }),
});
