/** node-hl7-server as its README sets it up: every message is acknowledged, nothing is stored. */
import { Server } from 'node-hl7-server';
import { listenOnLoopback } from './loopback.ts';

listenOnLoopback();
const server = new Server({ bindAddress: '127.0.0.1' });
server.createInbound({ port: 0 }, async (_request, response) => {
  await response.sendResponse('AA');
});
