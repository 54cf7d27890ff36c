/** `gatehouse tap`, `top` and `metrics show`, on a running engine over its control socket. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { Top } from '../../bin/cli/samples.ts';
import { controlRoutes } from '../../engine/control/routes.ts';
import { type Control, startControl } from '../../engine/control/server.ts';
import { silent } from '../../engine/events.ts';
import { startReceiver } from '../outbound/receiver.ts';
import {
  type SmallSite,
  adt,
  adtChannel,
  delivered,
  smallSite,
  until,
} from '../story/small-site.ts';
import { ask } from '../world.ts';
import { type Ended, called, jsonOf } from './process.ts';

describe('gatehouse tap, top and metrics show', function () {
  this.timeout(30_000);
  let site: SmallSite;
  let control: Control;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let sent = 0;
  const run = (...args: string[]) => called([...args, '--data', site.data]);
  const send = (patient?: string) => {
    const port = site.engine.ports.adt ?? 0;
    return ask(port, adt(`T${(sent += 1)}`, patient));
  };

  before(async () => {
    receiver = await startReceiver();
    site = smallSite({
      adt: adtChannel('adt', delivered(receiver.port)),
      other: adtChannel('other'),
    });
    const engine = await site.start();
    const routes = controlRoutes(engine, silent);
    control = await startControl({ folder: site.data, routes, emit: silent });
  });
  after(async () => {
    await control.close();
    await site.close();
    await receiver.close();
  });

  /** Messages are sent until the tap has seen enough: when it is open, nobody is told. */
  async function tapped(args: string[], patients: (string | undefined)[]): Promise<Ended> {
    let over = false;
    const ended = run('tap', ...args).finally(() => (over = true));
    for (let n = 0; !over; n++) {
      await send(patients[n % patients.length]);
      await new Promise((next) => setTimeout(next, 10));
    }
    return ended;
  }

  it('tap shows messages as they end, and nothing of the patient', async () => {
    const { code, stdout, stderr } = await tapped(
      ['adt', '--limit', '2', '--content'],
      [undefined],
    );
    assert.equal(code, exits.ok);
    assert.equal(stderr, 'looking; Ctrl-C ends it\n2 messages shown\n');
    assert.match(
      stdout,
      /^[\d:.]{12} {2}\w{10} {2}adt {2}ADT\^A08\^ADT_A01 {2}answered {2}[\d.]+ ms\n/,
    );
    assert.match(stdout, /\n {4}PID\|•\|\|•{10}\^\^\^•{3}\^•{2}\|\|•{7}\^•{6}\n/);
    assert.ok(!stdout.includes('Wierzba'));
  });

  it('tap shows only what is asked for', async () => {
    const where = ['--where', 'PID-3=*026', '--state', 'answered', '-o', 'ndjson', '--limit', '2'];
    const reveal = ['--reveal', '--reason', 'CHG0042'];
    const { stdout } = await tapped([...where, ...reveal], [undefined, '9990000026']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { message: string });
    assert.equal(lines.length, 2);
    for (const { message } of lines) assert.match(message, /\nPID\|1\|\|9990000026\^/);
    assert.match(
      readFileSync(join(site.data, 'reveals.ndjson'), 'utf8'),
      /"tap","reason":"CHG0042"/,
    );
  });

  it('tap says what is wrong with what it is asked', async () => {
    for (const [args, code, says] of [
      [['adtt'], exits.notFound, /no channel "adtt" runs; did you mean "adt"/],
      [['--where', 'PID=1'], exits.usage, /names a segment/],
      [['--where', 'PID-3'], exits.usage, /a condition needs a place and a text/],
      [['--reveal'], exits.usage, /--reveal needs --reason/],
    ] as const) {
      const told = await run('tap', ...args);
      assert.equal(told.code, code, args.join(' '));
      assert.match(told.stderr, says);
    }
    const none = await called(['tap', '--data', join(site.folder, 'nowhere')]);
    assert.equal(none.code, exits.unavailable);
  });

  it('top tells rates, queues and ages once where nobody looks at a terminal', async () => {
    await send();
    await until(() => receiver.messages.length >= sent, 'all is delivered');
    const { code, stdout } = await run('top');
    assert.equal(code, exits.ok);
    assert.match(
      stdout,
      /^CHANNEL\tIN\/S\tREJECTED\/S\tP50\tP99\tCONNECTIONS\nadt\t[\d.]+\t0\t\d/m,
    );
    const told = jsonOf<Top>((await run('top', '--once', '-o', 'json')).stdout, 'top');
    const adtRow = told.channels.find(({ channel }) => channel === 'adt');
    assert.ok(adtRow && adtRow.received > 0 && adtRow.rejected === 0);
    assert.ok(adtRow.p50 !== null && adtRow.p99 !== null && adtRow.p50 <= adtRow.p99);
    const [epr] = told.destinations;
    assert.deepEqual([epr?.destination, epr?.depth, epr?.parked], ['adt/epr', 0, 0]);
    assert.ok(epr && epr.delivered > 0);
    assert.equal((await run('top', '--every', '0.1')).code, exits.usage);
  });

  it('metrics show --channel shows those of a channel and of its destinations', async () => {
    const { stdout } = await run('metrics', 'show', '--channel', 'adt');
    assert.match(
      stdout,
      /^gatehouse_messages_total\tchannel=adt type=ADT\^A08 state=answered\t\d/m,
    );
    assert.match(stdout, /^gatehouse_queue_depth\tdestination=adt\/epr\t0$/m);
    assert.doesNotMatch(stdout, /other/);
    const none = await run('metrics', 'show', 'queue', '--channel', 'other');
    assert.match(none.stderr, /no metric with "queue" in its name of channel "other"/);
  });

  it('tap ends when the engine does', async () => {
    const ended = run('tap');
    await until(() => {
      let open = false;
      site.engine.taps.finished(() => {
        open = true;
        return { id: 'X', at: 1, channel: 'adt', state: 'answered', ms: 1 };
      });
      return open;
    }, 'it looks');
    await control.close();
    const { code, stderr } = await ended;
    assert.equal(code, exits.unavailable);
    assert.match(stderr, /the engine ended; \d messages? shown/);
    control = await startControl({
      folder: site.data,
      routes: controlRoutes(site.engine, silent),
      emit: silent,
    });
  });
});
