/** People are told: over a webhook that may fail, and by a command of the site's choice. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Settings, settingsSchema } from '../../engine/config/settings.ts';
import type { EventFields, EventName } from '../../engine/events.ts';
import type { Notice } from '../../engine/watch/alerts.ts';
import { createNotifier } from '../../engine/watch/notify.ts';

const secret = 'Bearer correct-horse-battery';

function notice(subject: string, event: Notice['event'] = 'raised'): Notice {
  return {
    event,
    alert: {
      ...{ condition: 'destination.down', subject, severity: 'error' },
      ...{ says: 'GH-7001', next: 'gatehouse queue show', since: 1e12, told: 1e12 },
    },
  };
}

describe('notices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-notify-'));
  const events: [EventName, EventFields?][] = [];
  let server: Server;
  let url: string;
  let got: { body: Record<string, string>; headers: IncomingHttpHeaders }[] = [];
  let answers: number[] = [];

  before(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const body = JSON.parse(text) as Record<string, string>;
        got.push({ body, headers: request.headers });
        const status = answers.shift() ?? 200;
        if (status > 0) response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  beforeEach(() => {
    got = [];
    answers = [];
    events.length = 0;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const notifier = (alerts: object) => {
    const settings: Settings['alerts'] = settingsSchema.parse({ alerts }).alerts;
    return createNotifier({
      settings: () => settings,
      env: { HOOK: secret },
      emit: (...event) => void events.push(event),
      pauseMs: 5,
    });
  };
  const undelivered = () =>
    events.map(([name, fields]) => [name, fields?.endpoint, fields?.detail]);

  it('are POSTed as JSON, in order, and tried again where that fails', async () => {
    answers = [503, 500, 200];
    const authorization = '${env:HOOK}';
    const one = notifier({ webhook: { url, authorization } });
    one.tell(notice('adt/epr'));
    one.tell(notice('adt/epr', 'cleared'));
    await one.close(5000);
    const events = got.map(({ body }) => body.event);
    assert.deepEqual(events, ['raised', 'raised', 'raised', 'cleared']);
    assert.equal(got[0]?.headers.authorization, secret);
    assert.equal(got[0]?.headers['content-type'], 'application/json');
    const { at, host, ...rest } = got[0]?.body ?? {};
    assert.ok(at && host);
    assert.deepEqual(rest, {
      ...{ kind: 'alert', version: 1, event: 'raised', condition: 'destination.down' },
      ...{ subject: 'adt/epr', severity: 'error', says: 'GH-7001', next: 'gatehouse queue show' },
      since: '2001-09-09T01:46:40.000Z',
    });
    assert.deepEqual(undelivered(), []);
  });

  it('are given up after so many attempts, and that is logged without the address', async () => {
    answers = [404, 404, 404, 404];
    const one = notifier({ webhook: { url, attempts: '2' } });
    one.tell(notice('a'));
    one.tell(notice('b'));
    await one.close(5000);
    assert.equal(got.length, 4);
    const lost = ['alert.undelivered', 'webhook', 'HTTP 404, 2 attempts'];
    assert.deepEqual(undelivered(), [lost, lost]);
    assert.ok(!JSON.stringify(events).includes('/hook'));
  });

  it('do not wait for a webhook that never answers, nor for one that is not there', async () => {
    answers = [0];
    const silent = notifier({ webhook: { url, attempts: '1', timeout: '50ms' } });
    silent.tell(notice('a'));
    await silent.close(5000);
    assert.deepEqual(undelivered(), [['alert.undelivered', 'webhook', 'TimeoutError, 1 attempts']]);
    events.length = 0;
    const gone = notifier({ webhook: { url: 'http://127.0.0.1:1/hook', attempts: '1' } });
    gone.tell(notice('a'));
    await gone.close(5000);
    assert.match(undelivered()[0]?.[2] ?? '', /^(ECONNREFUSED|bad port|TypeError)/);
    events.length = 0;
    const stopping = notifier({ webhook: { url: 'http://127.0.0.1:1/hook', attempts: '20' } });
    stopping.tell(notice('a'));
    await stopping.close(20);
    assert.equal(events.length, 1);
  });

  it('keep no more than so many, and drop the oldest', async () => {
    answers = [0];
    const one = notifier({ webhook: { url, attempts: '1', timeout: '200ms' } });
    for (let n = 0; n < 250; n++) one.tell(notice(`n${n}`));
    const dropped = events.filter(([, fields]) => fields?.detail === 'too many are waiting');
    assert.equal(dropped.length, 49);
    assert.equal(dropped[0]?.[1]?.subject, 'n1');
    await one.close(0);
  });

  it('are given to a command on its standard input: no shell, and nothing of our environment', async () => {
    const script = join(folder, 'tell.sh');
    const out = join(folder, 'told');
    writeFileSync(script, `#!/bin/sh\n{ cat; echo "$1"; env | sort; } > "$2"\n`, { mode: 0o700 });
    process.env.GATEHOUSE_TEST_SECRET = secret;
    const one = notifier({ command: { run: ['/bin/sh', script, '$(touch pwned) "a', out] } });
    one.tell(notice('adt/epr'));
    await one.close(5000);
    delete process.env.GATEHOUSE_TEST_SECRET;
    const [json = '', argument, ...env] = readFileSync(out, 'utf8').split('\n');
    assert.equal((JSON.parse(json) as { subject: string }).subject, 'adt/epr');
    assert.equal(argument, '$(touch pwned) "a');
    assert.ok(env.every((line) => !line.includes('correct-horse')));
    assert.deepEqual(undelivered(), []);
  });

  it('tell of a command that fails, is not there, or takes too long', async () => {
    const cases: [string[], string][] = [
      [['/bin/sh', '-c', 'exit 3'], 'it ended with 3'],
      [[join(folder, 'none')], 'ENOENT'],
      [['/bin/sleep', '30'], 'it took too long'],
    ];
    for (const [run, detail] of cases) {
      events.length = 0;
      const one = notifier({ command: { run, timeout: '100ms' } });
      one.tell(notice('a'));
      await one.close(5000);
      assert.deepEqual(undelivered(), [['alert.undelivered', 'command', detail]]);
    }
  });
});
