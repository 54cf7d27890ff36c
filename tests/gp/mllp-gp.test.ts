import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { answeredId, createMllpGp } from '../../engine/gp/mllp-gp.ts';
import type { Attempt, GpMessage, Outcome } from '../../engine/gp/port.ts';
import { parseMessage } from '../../engine/hl7/message.ts';
import { createDestination } from '../../engine/mllp/destination.ts';
import { attempt, textOf } from './outside.ts';

const nhsNumber = '9000000009';
const us = { application: 'GPREC', facility: 'RECGW' };

const query = [
  'MSH|^~\\&|MILLENNIUM|R0A|GPREC|RECGW|20260604101500||QBP^Q11^QBP_Q11|M1|P|2.4|||AL|NE|GBR|UNICODE UTF-8|EN',
  `QPD|GPREC^GP Record^L|Q1|${nhsNumber}^^^NHS^NH|ALL~MED|||10019^M\u00fcller^Jo|UNK|HOSPITAL^^R0A|G`,
  'RCP|I',
  '',
].join('\r');
const a19 = [
  'MSH|^~\\&|PAS|R0A|GPREC|RECGW|20260604101500||QRY^A19|M2|P|2.4',
  `QRD|20260604101500|R|I|Q2|||1^RD|${nhsNumber}^^^^^^^^NHS^^^^NH|ALL|`,
  '',
].join('\r');

const sent = (message: string) => parseMessage(Buffer.from(message));

/** An answer of these segments to the message that came. */
const answer =
  (type: string, ...segments: string[]) =>
  (asked: string) => {
    const id = sent(asked).get('MSH-10') ?? '';
    const msh = `MSH|^~\\&|OLDGP|B81616|GPREC|RECGW|20260604101501||${type}|R77|P|2.4`;
    return [msh, ...segments, ''].join('\r').replaceAll('{id}', id);
  };

const found = answer(
  'RSP^K11^RSP_K11',
  'MSA|AA|{id}',
  'QAK|Q1|OK',
  'QPD|x',
  `PID|1||${nhsNumber}^^^NHS^NH~4711^^^OLDGP^PI||Nel^Morris`,
  'AL1|1|DA|294881007^Warfarin allergy^SCT',
);

type React = (asked: string, socket: Socket) => string | undefined;

const open: (() => Promise<void>)[] = [];

/** A GP system on a real socket, and our way to ask it. */
async function system(react: React, options: { answerMs?: number } = {}) {
  const asked: string[] = [];
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      if (!received.subarray(-2).equals(Buffer.from('\x1c\r'))) return;
      const message = received.subarray(1, -2).toString();
      received = Buffer.alloc(0);
      asked.push(message);
      const reply = react(message, socket);
      if (reply !== undefined) socket.write(`\x0b${reply}\x1c\r`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const times = { connectMs: 2000, writeMs: 2000, answerMs: options.answerMs ?? 2000 };
  const destination = createDestination(
    { name: 'legacy-gp', host: '127.0.0.1', port, maxReplyBytes: 100_000, ...times },
    answeredId,
  );
  open.push(async () => {
    destination.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { asked, gp: createMllpGp(destination, us, 'legacy-gp', ['QBP^Q11', 'QRY^A19']), server };
}

async function ask(
  react: React,
  more: { answerMs?: number; attempt?: Partial<Attempt>; message?: string } = {},
): Promise<Outcome<GpMessage>> {
  const { gp } = await system(react, more);
  const request = { nhsNumber, datasets: ['ALL' as const] };
  return gp(sent(more.message ?? query), request, attempt(more.attempt));
}

describe('a GP system that speaks HL7 v2', () => {
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
  });

  it('is asked with the query itself under our header, and its answer given byte for byte', async () => {
    const { gp, asked } = await system(found);
    const original = sent(query);
    const to = attempt();
    const outcome = await gp(original, { nhsNumber, datasets: ['ALL'] }, to);
    const id = to.requestId.replaceAll('-', '').slice(0, 20);
    const [forwarded = ''] = asked;
    const lines = forwarded.split('\r');
    const msh = (lines[0] ?? '').split('|');
    assert.equal(msh[2], 'GPREC');
    assert.equal(msh[3], 'RECGW');
    assert.deepEqual([msh[4], msh[5]], ['', '']);
    assert.match(msh[6] ?? '', /^\d{14}\+0000$/);
    assert.equal(msh[8], 'QBP^Q11^QBP_Q11');
    assert.equal(msh[9], id);
    assert.deepEqual(msh.slice(10), ['P', '2.4', '', '', '', '', 'GBR', 'UNICODE UTF-8', 'EN']);
    assert.deepEqual(lines.slice(1), query.split('\r').slice(1), 'nothing else changes');
    assert.equal(original.toBytes().toString(), query, 'the query at hand is left alone');
    assert.equal(outcome.event, 'reply');
    assert.equal(textOf(outcome.value?.bytes), found(forwarded));
    const [hop] = outcome.hops;
    assert.deepEqual([hop?.to, hop?.interaction], ['legacy-gp', 'QBP^Q11']);
    assert.equal(textOf(hop?.request), forwarded);
    assert.equal(textOf(hop?.reply), found(forwarded));
    assert.equal(textOf(to.asked[0]?.request), forwarded);
  });

  it('is asked for the whole answer, and with no query it does not know', async () => {
    const { gp, asked } = await system(found);
    const request = { nhsNumber, datasets: ['ALL' as const] };
    await gp(sent(query.replace('RCP|I', 'RCP|I|5^RD')), request, attempt());
    assert.match(asked[0] ?? '', /\rRCP\|I\|?\r/);
    const other = await gp(sent(query.replace('QBP^Q11', 'QBP^ZGR')), request, attempt());
    assert.deepEqual([other.event, other.fault?.name], ['permanent', 'queryNotForwarded']);
    assert.deepEqual([asked.length, other.hops.length], [1, 0]);
  });

  it('gets the same control id again for a repeat of the same request', async () => {
    const { gp, asked } = await system(found);
    const request = { nhsNumber, datasets: ['ALL' as const] };
    await gp(sent(query), request, attempt());
    await gp(sent(query), request, attempt());
    await gp(sent(query), request, attempt({ requestId: crypto.randomUUID() }));
    const [first, second, third] = asked.map((message) => sent(message).get('MSH-10'));
    assert.equal(first, second);
    assert.notEqual(first, third);
    assert.match(third ?? '', /^[0-9A-F]{20}$/);
  });

  it('is asked by the current NHS number where that of the query is superseded', async () => {
    for (const message of [query, a19]) {
      const { gp, asked } = await system(answer('RSP^K11', 'MSA|AA|{id}', 'QAK|Q1|NF'));
      await gp(sent(message), { nhsNumber: '9000000017', datasets: ['ALL'] }, attempt());
      const [forwarded = ''] = asked;
      const body = (text: string) => text.split('\r').slice(1).join('\r');
      assert.equal(body(forwarded), body(message).replace(nhsNumber, '9000000017'));
    }
  });

  it('is asked nothing before the journal has the query', async () => {
    const { gp, asked } = await system(found);
    const refusing = attempt({ beforeAsk: () => Promise.reject(new Error('journal')) });
    await assert.rejects(gp(sent(query), { nhsNumber, datasets: ['ALL'] }, refusing), /journal/);
    assert.deepEqual(asked, []);
  });

  const judged: [string, React, string, string?, RegExp?][] = [
    ['ADR^A19 without QAK', answer('ADR^A19', 'MSA|AA|{id}', 'QRD|x', 'PID|1||4711'), 'reply'],
    ['QAK-2 NF', answer('RSP^K11', 'MSA|AA|{id}', 'QAK|Q1|NF'), 'notFound', 'patientNotFound'],
    ['QAK-2 AE', answer('RSP^K11', 'MSA|AA|{id}', 'QAK|Q1|AE'), 'permanent', 'gpRejectedRequest'],
    ['QAK-2 AR', answer('RSP^K11', 'MSA|AA|{id}', 'QAK|Q1|AR'), 'transient', 'gpUnavailable'],
    ['MSA-1 AE', answer('ACK', 'MSA|AE|{id}'), 'permanent', 'gpRejectedRequest', /^AE from/],
    [
      'MSA-1 AE and QAK-2 NF',
      answer('RSP^K11', 'MSA|AE|{id}', 'QAK|Q1|NF'),
      'permanent',
      'gpRejectedRequest',
    ],
    ['MSA-1 CE', answer('ACK', 'MSA|CE|{id}'), 'permanent', 'gpRejectedRequest'],
    ['MSA-1 AR', answer('ACK', 'MSA|AR|{id}'), 'transient', 'gpUnavailable'],
    [
      'AR for its version (v2.4 ERR)',
      answer('ACK', 'MSA|AR|{id}', 'ERR|MSH^1^12^203&Unsupported'),
      'permanent',
      'gpRejectedRequest',
      /ERR 203$/,
    ],
    [
      'AR for its type (v2.5 ERR)',
      answer('ACK', 'MSA|AR|{id}', 'ERR||MSH^1^9|200|E'),
      'permanent',
      'gpRejectedRequest',
      /ERR 200$/,
    ],
    [
      'AR for an internal error',
      answer('ACK', 'MSA|AR|{id}', 'ERR||MSH^1^9|207|E'),
      'transient',
      'gpUnavailable',
      /ERR 207$/,
    ],
    ['a bare acknowledgement', answer('ACK', 'MSA|AA|{id}'), 'transient', 'gpReplyUnreadable'],
    [
      'an accept acknowledgement',
      answer('RSP^K11', 'MSA|CA|{id}'),
      'transient',
      'gpReplyUnreadable',
    ],
    ['no MSA', answer('RSP^K11', 'QAK|Q1|OK'), 'transient', 'gpReplyUnreadable'],
    ['no HL7', () => 'hello', 'transient', 'gpReplyUnreadable'],
    [
      'another patient',
      answer('RSP^K11', 'MSA|AA|{id}', 'QAK|Q1|OK', 'PID|1||9000000017^^^NHS^NH'),
      'permanent',
      'wrongPatient',
    ],
    [
      'a second patient',
      answer('RSP^K11', 'MSA|AA|{id}', `PID|1||${nhsNumber}^^^NHS`, 'PID|2||9000000017^^^NHS'),
      'permanent',
      'wrongPatient',
    ],
    [
      'a hidden second NHS number',
      answer('RSP^K11', 'MSA|AA|{id}', `PID|1||${nhsNumber}^^^NHS~9000000017^^^^NH`),
      'permanent',
      'wrongPatient',
    ],
  ];
  for (const [name, react, event, fault, detail] of judged) {
    it(`with ${name}: ${fault ?? event}`, async () => {
      const outcome = await ask(react);
      assert.deepEqual([outcome.event, outcome.fault?.name], [event, fault]);
      if (detail) assert.match(outcome.fault?.detail ?? '', detail);
      assert.doesNotMatch(outcome.fault?.detail ?? '', /\d{10}/);
      assert.ok((outcome.hops[0]?.reply?.length ?? 0) > 0, 'the bytes are kept');
    });
  }

  it('takes no answer that is for another query, whatever the connection thinks', async () => {
    const other = Buffer.from(found(query));
    const gp = createMllpGp({ ask: () => Promise.resolve(other) }, us, 'legacy-gp', [
      'QBP^Q11',
      'QRY^A19',
    ]);
    const outcome = await gp(sent(query), { nhsNumber, datasets: ['ALL'] }, attempt());
    assert.deepEqual([outcome.event, outcome.fault?.name], ['transient', 'gpReplyUnreadable']);
  });

  it('passes on the words of a refusal', async () => {
    const outcome = await ask(answer('ACK', 'MSA|AE|{id}|The patient has opted out \\T\\ more'));
    assert.equal(outcome.fault?.verbatim, 'The patient has opted out & more');
  });

  it('is transient where nobody listens, ambiguous where the query got no answer', async () => {
    const { gp, server } = await system(found);
    await new Promise((resolve) => server.close(resolve));
    const gone = await gp(sent(query), { nhsNumber, datasets: ['ALL'] }, attempt());
    assert.deepEqual([gone.event, gone.fault?.name], ['transient', 'gpUnavailable']);
    const silent = await ask(() => undefined, { answerMs: 50 });
    assert.deepEqual([silent.event, silent.fault?.name], ['ambiguous', 'gpTimeout']);
    const cut = await ask((_, socket) => {
      socket.destroy();
      return undefined;
    });
    assert.equal(cut.event, 'ambiguous');
    for (const { hops } of [gone, silent, cut]) {
      assert.equal(hops.length, 1);
      assert.equal(hops[0]?.reply, undefined);
    }
  });

  it('is given up at the deadline', async () => {
    const controller = new AbortController();
    const outcome = await ask(
      () => {
        controller.abort();
        return undefined;
      },
      { attempt: { signal: controller.signal } },
    );
    assert.deepEqual([outcome.event, outcome.fault?.name], ['timeout', 'deadlinePassed']);
  });
});
