/** Sends one message (file named first) to a port (second) with node-hl7-client; prints the answer. */
import { readFileSync } from 'node:fs';
import * as hl7 from 'node-hl7-client';

const [file = '', port] = process.argv.slice(2);
const client = new hl7.Client({ host: '127.0.0.1', version: '2.4' });
const connection = client.createConnection({ port: Number(port), version: '2.4' }, (response) => {
  process.stdout.write(response.getMessage().toString());
  void connection.close().then(() => process.exit(0));
});
const message = new hl7.Message({ text: readFileSync(file, 'utf8') });
connection.on('connect', () => void connection.sendMessage(message));
