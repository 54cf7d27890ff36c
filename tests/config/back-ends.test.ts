/** What `check` says of a channel that asks another back end in a way that cannot be. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSite } from '../../engine/config/site.ts';
import { root } from '../world.ts';

describe('the check of other back ends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-back-ends-'));
  const file = join(folder, 'channels/gp-record.yaml');
  before(() => cpSync(join(root, 'channels'), join(folder, 'channels'), { recursive: true }));
  after(() => rmSync(folder, { recursive: true, force: true }));

  // Without its mapping, which takes long to compile and asks nobody.
  const shipped = readFileSync(join(root, 'channels/gp-record.yaml'), 'utf8');
  const channel = shipped.replace(/^mapping: .*$/m, '');
  const lines = channel.split('\n');
  const [from, until] = [lines.indexOf('ask:'), lines.indexOf('destinations:')];
  const lineOf = (where: string) => Number(/:(\d+):\d+$/.exec(where)?.[1]) - 1;
  /** What is found of `ask` where it says these; undefined takes a key away. */
  function check(ask: Record<string, string | undefined>): string[] {
    const text = Object.entries(ask).reduce((told, [key, value]) => {
      const line = new RegExp(`^  ${key}: \\S+.*$`, 'm');
      assert.match(told, line);
      return told.replace(line, value === undefined ? `  # no ${key}` : `  ${key}: ${value}`);
    }, channel);
    writeFileSync(file, text);
    const { findings } = loadSite(folder, {});
    const asked = findings.filter(({ where }) => lineOf(where) > from && lineOf(where) < until);
    return asked.map(({ severity, says }) => `${severity}: ${says}`);
  }

  it('has nothing to say of the channel as shipped, nor of the gateway by itself', () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ record: 'gateway', html: 'false', documents: 'off' }), []);
    assert.deepEqual(check({ second: 'gateway' }), []);
  });

  it('wants the practice’s own services to be found, where they are asked', () => {
    const findings = check({ record: 'gateway' });
    assert.equal(findings.length, 2);
    assert.match(findings[0] ?? '', /^error: html is asked of the practice’s own services/);
    assert.match(findings[1] ?? '', /^error: documents is asked of/);
    assert.match(check({ locate: undefined, html: 'false' }).join(), /error: documents is asked/);
  });

  it('names the kinds that can serve a step', () => {
    assert.deepEqual(check({ locate: 'gateway', html: 'false', documents: 'off' }), [
      'error: "gateway" is of kind cdg; this step needs kind sds',
    ]);
    assert.deepEqual(check({ second: 'gpconnect' }), [
      'error: "gpconnect" is of kind gpconnect; this step needs kind mllp or cdg',
    ]);
  });
});
