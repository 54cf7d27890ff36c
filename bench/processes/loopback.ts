/**
 * The peers listen on every interface of a port that is given to them. A benchmark stays on this
 * machine, so their `listen` is led to a free port of 127.0.0.1; nothing else of them is changed.
 */
import { type AddressInfo, Server } from 'node:net';
import { tellPort } from './requests.ts';

type Listen = (this: Server, port: number, host: string) => Server;

/** From now on, every server of this process listens on a free loopback port, and tells it. */
export function listenOnLoopback(): void {
  const listen = Server.prototype.listen as Listen;
  Server.prototype.listen = function (this: Server): Server {
    this.once('listening', () => tellPort((this.address() as AddressInfo).port));
    return listen.call(this, 0, '127.0.0.1');
  } as typeof Server.prototype.listen;
}
