/**
 * A stranger's client: node-hl7-client 4 sends, in a process of its own and with a time limit, since
 * its transport can freeze the process it runs in.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HL7Message } from 'hl7v2';
import { type World, qbp, startWorld } from '../world.ts';

describe('third parties', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  /** @returns what the client printed; fails with its last line only, since it prints its source */
  async function send(text: string, port: number): Promise<string> {
    const file = join(world.data, 'message.hl7');
    writeFileSync(file, text);
    const sender = join(import.meta.dirname, 'sender.ts');
    const args = [sender, file, String(port)];
    const { failed, stdout, stderr } = await new Promise<Record<string, string | boolean>>(
      (done) => {
        execFile(process.execPath, args, { timeout: 15_000 }, (error, stdout, stderr) =>
          done({ failed: error !== null, stdout, stderr }),
        );
      },
    );
    const [said = ''] = /^\w*Error: .{0,200}/m.exec(String(stderr)) ?? [];
    assert.equal(failed, false, `the client failed: ${said}`);
    return String(stdout);
  }

  it('node-hl7-client sends a query and reads its answer', async () => {
    const answer = await send(
      qbp('9465701459', { 'MSH-10': 'NHC1' }),
      world.engine.ports['gp-record'] ?? 0,
    );
    assert.match(answer, /MSA\|AA\|NHC1/);
    assert.match(answer, /294881007\^Warfarin allergy/);
  });

  it('hl7v2 decodes the answer without an error', async () => {
    const answer = await send(qbp('9465701459'), world.engine.ports['gp-record'] ?? 0);
    const decoded = HL7Message.parse(answer);
    assert.equal(decoded.messageType, 'RSP^K11');
  });
});
