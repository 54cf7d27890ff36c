/** Dead letters: seen by their cause, sent again as new messages that are linked, or changed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exits } from '../../bin/cli/exits.ts';
import type { ReplayRow } from '../../engine/control/replay.ts';
import { acknowledge } from '../outbound/receiver.ts';
import { framed, qbp, rawPeer } from '../world.ts';
import { type Delivering, adt, startDelivering, until } from './delivering.ts';
import { gatehouse } from './process.ts';
import { assertNothingOf, patient } from './secrets.ts';

interface Cause {
  fault: string;
  where: string;
  kind: string;
  count: number;
  next: string;
}
interface Explained {
  deliveries: { to: string; state: string; possibleDuplicate: boolean; as: string | null }[];
  links: { what: string; id: string }[];
  steps: { what: string }[];
}

describe('gatehouse message replay and edit', function () {
  this.timeout(60_000);
  let one: Delivering;
  /** Control ids the receiver refuses with AE; what is in `garbles` gets no acknowledgement. */
  const refuses = new Set<string>();
  const garbles = new Set<string>();
  const explain = (id: string) => one.json<Explained>('explanation', 'message', 'explain', id);
  const causes = async (...args: string[]) => {
    const args1 = ['message', 'list', '--state', 'parked', ...args];
    return (await one.json<{ causes: Cause[] }>('deadLetterCauses', ...args1)).causes;
  };
  const replay = async (...args: string[]) => {
    const found = await one.json<{ rows: ReplayRow[] }>('replay', 'message', 'replay', ...args);
    return found.rows;
  };
  const idOf = async (controlId: string) => {
    const args = ['message', 'list', '--control-id', controlId];
    const { exchanges } = await one.json<{ exchanges: { id: string }[] }>('exchanges', ...args);
    return exchanges.at(-1)?.id ?? assert.fail(`there is no ${controlId}`);
  };
  const parked = (count: number) =>
    until(async () => {
      const all = await causes();
      return all.reduce((sum, cause) => sum + cause.count, 0) === count;
    }, `${count} are parked`);

  before(async () => {
    one = await startDelivering();
    one.receiver.react = (message) => {
      const id = message.get('MSH-10') ?? '';
      if (garbles.has(id)) return '\x0bno acknowledgement\x1c\r';
      return acknowledge(message, refuses.has(id) ? 'AE' : 'AA');
    };
    await one.serve();
  });
  beforeEach(() => {
    one.receiver.messages.length = 0;
    refuses.clear();
    garbles.clear();
  });
  after(() => one.close());

  it('shows what is parked by its cause, bytes that were no message among it', async () => {
    refuses.add('A1').add('B1');
    garbles.add('C1');
    assert.equal(await one.send(adt('A1', '9990000018')), 'AA');
    assert.equal(await one.send(adt('B1', '9990000026')), 'AA');
    assert.equal(await one.send(adt('C1', '9990000034')), 'AA');
    const peer = await rawPeer(one.port('adt'));
    peer.write(`PID|1||${patient}\r`);
    await peer.next();
    await parked(4);
    const found = await causes();
    assert.deepEqual(
      found.map(({ fault, where, kind, count }) => `${fault} ${kind} ${where} ${count}`).sort(),
      ['GH-1003 frame adt 1', 'GH-7003 delivery adt/epr 1', 'GH-7004 delivery adt/epr 2'],
    );
    const refused = found.find(({ fault }) => fault === 'GH-7004');
    assert.equal(refused?.next, 'gatehouse message replay --fault GH-7004 --to adt/epr --dry-run');
    const { stdout } = await one.run('message', 'list', '--state', 'parked', '--fault', 'GH-7004');
    assert.match(
      stdout,
      /^FAULT\tWHERE\tCOUNT\tOLDEST\tSAYS\tNEXT\nGH-7004\tadt\/epr\t2\t\d+s\tThe /,
    );
    assert.deepEqual(
      (await causes('--nhs', '9990000026')).map(({ count }) => count),
      [1],
    );
    const each = await one.run(
      'message',
      'list',
      '--state',
      'parked',
      '--by',
      'message',
      '--to',
      'adt/epr',
    );
    assert.equal(each.stdout.trimEnd().split('\n').length, 4);
    assertNothingOf(each.stdout + stdout, 'dead letters');
  });

  it('replays by cause what is not superseded, as new messages linked both ways, and flags what may have arrived', async () => {
    // A newer message of the first patient got through meanwhile.
    assert.equal(await one.send(adt('A2', '9990000018')), 'AA');
    await one.receiver.arrived(1);
    const [a1, b1, c1] = [await idOf('A1'), await idOf('B1'), await idOf('C1')];
    const cause = ['--to', 'adt/epr', '--reason', 'EPR mended'];
    await until(async () => {
      const planned = await replay(...cause, '--dry-run');
      return planned.map(({ outcome }) => outcome).join() === 'superseded,ready,ready';
    }, 'the newer one is known to be delivered');
    assert.deepEqual(one.receiver.ids(), ['A2']);
    const run = await gatehouse(['message', 'replay', ...cause, '--data', one.data]);
    assert.deepEqual(
      [run.code, run.stderr.includes('Nobody can be asked here')],
      [exits.usage, true],
    );

    const rows = await replay(...cause, '--yes');
    assert.deepEqual(
      rows.map(({ id, outcome }) => [id, outcome]),
      [
        [a1, 'superseded'],
        [b1, 'replayed'],
        [c1, 'replayed'],
      ],
    );
    await one.receiver.arrived(3);
    assert.deepEqual(one.receiver.ids().slice(1).sort(), ['B1', 'C1']);
    const [, b2 = '', c2 = ''] = rows.map(({ as }) => as);
    assert.ok(
      (await explain(b1)).links.some(({ what, id }) => what === 'replayed as' && id === b2),
    );
    assert.deepEqual((await explain(b1)).deliveries[0]?.as, b2);
    assert.deepEqual((await explain(b2)).links, [{ what: 'replay of', id: b1 }]);
    await until(async () => (await explain(c2)).deliveries[0]?.state === 'delivered', 'delivered');
    // AE says that the first was not taken; what was not understood says nothing of the kind.
    assert.equal((await explain(b2)).deliveries[0]?.possibleDuplicate, false);
    assert.equal((await explain(c2)).deliveries[0]?.possibleDuplicate, true);
    const told = (await one.run('message', 'explain', b1)).stdout;
    assert.match(told, /replay as \w+ by .*: EPR mended/);
    assert.match(told, /adt\/epr: replayed as/);

    const again = await replay(b1, '--yes');
    assert.match(again[0]?.why ?? '', /replayed already for adt\/epr/);
    assert.equal(again[0]?.outcome, 'refused');
    assert.deepEqual(
      (await causes('--to', 'adt/epr')).map(({ fault, count }) => [fault, count]),
      [['GH-7004', 1]],
    );
    const [forced] = await replay(a1, '--include-superseded', '--yes');
    assert.equal(forced?.outcome, 'replayed');
    await one.receiver.arrived(4);
    assert.equal(one.receiver.ids()[3], 'A1');
  });

  it('works on a message again from the start, though its bytes came before', async () => {
    assert.equal(await one.send(adt('D1', '9990000042')), 'AA');
    await one.receiver.arrived(1);
    const d1 = await idOf('D1');
    await until(async () => (await explain(d1)).deliveries[0]?.state === 'delivered', 'delivered');
    const [plain] = await replay(d1, '--yes');
    assert.match(plain?.why ?? '', /not parked; --from start works on all of it again/);
    const [row] = await replay(d1, '--from', 'start', '--yes');
    assert.equal(row?.outcome, 'replayed');
    await one.receiver.arrived(2);
    assert.deepEqual(one.receiver.ids(), ['D1', 'D1']);
    const again = await explain(row?.as ?? '');
    assert.ok(again.steps.some(({ what }) => /^register: found/.test(what)));
    assert.equal(again.deliveries[0]?.possibleDuplicate, true);
    // The sender's own repeat is still known, and answered with the first answer alone.
    assert.equal(await one.send(adt('D1', '9990000042')), 'AA');
    assert.equal(await one.send(adt('D2', '9990000042')), 'AA');
    await one.receiver.arrived(3);
    assert.deepEqual(one.receiver.ids(), ['D1', 'D1', 'D2']);
  });

  it('keeps the order of a patient when several are replayed', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `E${n}`);
    for (const id of ids) refuses.add(id);
    for (const [n, id] of ids.entries()) {
      assert.equal(await one.send(adt(id, n % 2 ? '9990000050' : '9990000069')), 'AA');
    }
    await parked(31);
    refuses.clear();
    one.receiver.messages.length = 0;
    const rows = await replay('--fault', 'gh-7004', '--yes');
    assert.equal(rows.filter(({ outcome }) => outcome === 'replayed').length, 30);
    await one.receiver.arrived(30);
    const numbers = one.receiver.ids().map((id) => Number(id.slice(1)));
    for (const odd of [0, 1]) {
      const lane = numbers.filter((n) => n % 2 === odd);
      assert.deepEqual(
        lane,
        lane.toSorted((a, b) => a - b),
      );
      assert.equal(lane.length, 15);
    }
    await parked(1);
  });

  it('refuses what cannot be sent again, and says why', async () => {
    await one.send(qbp('9465701458', { 'MSH-10': 'Q1' }), 'gp-record');
    const [query] = await replay(await idOf('Q1'), '--yes');
    assert.match(query?.why ?? '', /it is a query: .* nobody would get the answer now/);
    const dead = ['message', 'list', '--state', 'parked', '--by', 'message'];
    const [frame] = (await one.json<{ deadLetters: { id: string }[] }>('deadLetters', ...dead))
      .deadLetters;
    const broken = await one.run('message', 'replay', frame?.id ?? '', '--yes');
    assert.equal(broken.code, exits.failed);
    const looked = await one.run('message', 'replay', frame?.id ?? '', '--dry-run');
    assert.deepEqual([looked.code, /refused/.test(looked.stdout)], [exits.findings, true]);
    assert.match(
      broken.stdout,
      /refused.*its bytes were no message \(GH-1003\); message edit --file/,
    );
    const none = await one.run('message', 'replay', 'NOSUCH', '--yes');
    assert.deepEqual([none.code, none.stdout], [exits.notFound, '']);
    const nothing = await one.run('message', 'replay', '--fault', 'GH-7007', '--yes');
    assert.deepEqual([nothing.code, nothing.stdout], [exits.notFound, '']);
    assert.match(nothing.stderr, /nothing is parked with GH-7007/);
    const answered = await one.run('message', 'replay', '--fault', 'GH-4002', '--yes');
    assert.equal(answered.code, exits.notFound);
    assert.match(answered.stderr, /GH-4002; what ended so was answered, and its sender may/);
    const all = await one.run('message', 'replay', '--yes');
    assert.equal(all.code, exits.usage);

    // A message instead of the bytes that were none: it goes the way of any other.
    const args = ['message', 'edit', frame?.id ?? '', '--file', '-', '--reason', 'lost its VT'];
    const mended = await gatehouse([...args, '--yes', '--data', one.data], {
      input: framed(adt('F1', '9990000077')),
    });
    assert.equal(mended.code, exits.ok, mended.stderr);
    await one.receiver.arrived(1);
    assert.deepEqual(one.receiver.ids(), ['F1']);
  });

  it('sends a changed copy, shows which fields differ, and covers what they hold', async () => {
    refuses.add('G1');
    const sent = adt('G1', patient, '|WARD^1');
    assert.equal(await one.send(sent), 'AA');
    await one.receiver.arrived(1);
    const id = await idOf('G1');
    await until(async () => (await explain(id)).deliveries[0]?.state === 'parked', 'parked');
    const edit = ['message', 'edit', id, '--reason', 'bed was wrong'];
    // Out of the list of processes and the shell's history.
    const set = [...edit, '--set', '-', '--data', one.data];
    const input = 'PV1-3=WARD^2\nPID-5.2=Tomasz Jan\n';
    const planned = await gatehouse([...set, '--dry-run'], { input });
    assert.equal(planned.code, exits.ok, planned.stderr);
    assert.match(
      planned.stdout,
      /^FIELD\tBEFORE\tAFTER\nPID-5\t•+\^•+\t•+\^•+ •+\nPV1-3\t•+\^•\t•+\^•\n/,
    );
    assertNothingOf(planned.stdout, 'message edit');
    assert.equal(one.receiver.messages.length, 1);
    const open = await one.run(...edit, '--set', 'PV1-3=WARD^2', '--dry-run', '--reveal');
    assert.match(open.stdout, /\nPV1-3\tWARD\^1\tWARD\^2\n/);
    const log = readFileSync(join(one.data, 'reveals.ndjson'), 'utf8');
    assert.match(log, /bed was wrong/);

    refuses.clear();
    const done = await gatehouse([...set, '--new-id', '--yes', '-o', 'json'], { input });
    const [row] = (JSON.parse(done.stdout) as { rows: ReplayRow[] }).rows;
    assert.equal(row?.outcome, 'replayed');
    await one.receiver.arrived(2);
    const [, copy] = one.receiver.messages;
    assert.equal(copy?.raw('PV1-3'), 'WARD^2');
    assert.equal(copy?.raw('PID-5'), 'Wierzba^Tomasz Jan');
    assert.notEqual(copy?.get('MSH-10'), 'G1');
    const { links, deliveries } = await explain(id);
    assert.deepEqual(links, [{ what: 'edited as', id: row?.as }]);
    assert.equal(deliveries[0]?.state, 'replayed');
    // The original is as it came.
    const part = ['--part', 'received', '--reveal', '--reason', 'to compare'];
    assert.equal((await one.run('message', 'show', id, ...part)).stdout, sent);
    const ack = ['--part', 'reply', '--reveal', '--reason', 'to see its ERR'];
    assert.match((await one.run('message', 'show', id, ...ack)).stdout, /MSA\|AE\|G1/);

    for (const [wrong, says] of [
      [['--set', 'PV1-3'], /--set needs a place and a text/],
      [['--set', 'PV1.3=X'], /"PV1\.3" is not a path/],
      [['--set', 'PV1-3.1=A|B'], /holds a separator/],
      [['--set', 'PV1-3=WARD^1'], /nothing is changed/],
      [[], /nothing is changed/],
    ] as const) {
      const { code, stderr, stdout } = await one.run(...edit, ...wrong, '--dry-run');
      assert.notEqual(code, exits.ok, stdout);
      assert.match(stderr, says);
    }
  });

  it('keeps patients out of the log, whatever persons do', () => {
    assert.match(one.log(), /"step":"replay".*"msg":"control\.acted"/);
    assertNothingOf(one.log(), 'the log');
  });
});
