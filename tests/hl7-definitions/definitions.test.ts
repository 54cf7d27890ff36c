import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  definitions,
  describe as nameOf,
  nearestVersion,
  versions,
} from '../../engine/hl7/definitions/definitions.ts';
import { formatStructure, segmentsOf } from '../../engine/hl7/definitions/notation.ts';
import { versions as generatedVersions } from './versions.ts';

const folder = new URL('../../engine/hl7/definitions/', import.meta.url);

describe('definitions of HL7 v2', () => {
  it('are committed as the generator writes them', async function () {
    this.timeout(30_000);
    const generate = fileURLToPath(new URL('../generate.ts', import.meta.url));
    // In a process of its own: the dictionaries take a quarter of a gigabyte.
    await promisify(execFile)(process.execPath, [generate, '--check'], { timeout: 25_000 });
  });

  it('are one small file a version', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    assert.deepEqual(files.sort(), versions.map((version) => `v${version}.json`).sort());
    assert.deepEqual(Object.keys(generatedVersions), [...versions]);
    const bytes = files.map((name) => statSync(new URL(name, folder)).size);
    assert.ok(bytes.reduce((sum, size) => sum + size, 0) < 1_000_000);
  });

  it('name places for people', () => {
    assert.equal(nameOf('PID-3.4', '2.4'), 'PID-3.4 Patient Identifier List · Assigning Authority');
    assert.equal(
      nameOf('PID-3[2].4.1', '2.5'),
      'PID-3[2].4.1 Patient Identifier List · Assigning Authority · Namespace ID',
    );
    assert.equal(nameOf('PRB', '2.4'), 'PRB Problem Details');
    assert.equal(nameOf('OBX[3]-5', '2.4'), 'OBX[3]-5 Observation Value');
    assert.equal(nameOf('PID-8.7', '2.4'), 'PID-8.7 Administrative Sex');
    assert.equal(nameOf('ZPI-3', '2.4'), 'ZPI-3');
    assert.equal(nameOf('PID-99', '2.4'), 'PID-99');
    assert.throws(() => nameOf('PID.3', '2.4'), /not a path/);
  });

  it('hold type, usage, repetition, length and table of a field', () => {
    const field = definitions('2.4').field('PID', 3);
    assert.deepEqual(field, {
      name: 'Patient Identifier List',
      type: 'CX',
      usage: 'R',
      repetitions: Infinity,
      length: 250,
    });
    assert.equal(definitions('2.4').field('MSA', 1)?.table, 8);
    assert.equal(definitions('2.4').field('PID', 99), undefined);
    assert.equal(definitions('2.4').segment('ZZZ'), undefined);
    assert.equal(definitions('2.4').type('HD')?.components[1]?.name, 'Namespace ID');
    assert.equal(definitions('2.4').type('constructor'), undefined);
    assert.equal(definitions('2.4').structure('constructor'), undefined);
  });

  it('give MSA-3 the usage of each version', () => {
    const usage = (version: string): string | undefined =>
      definitions(version).field('MSA', 3)?.usage;
    assert.deepEqual(['2.3', '2.4', '2.5', '2.6', '2.7', '2.8'].map(usage), [
      'O',
      'O',
      'B',
      'B',
      'W',
      'W',
    ]);
  });

  it('have the fields that only 2.8 has', () => {
    assert.equal(definitions('2.7').field('OBX', 27), undefined);
    assert.ok(definitions('2.8').field('OBX', 27));
    assert.ok(definitions('2.8').segment('DON'));
  });

  it('put back a segment that stands twice in a structure', () => {
    const text = (version: string, id: string): string => {
      const structure = definitions(version).structure(id);
      return structure ? formatStructure(structure) : '';
    };
    assert.match(text('2.4', 'ADT_A01'), /\[PD1\] \[\{ROL\}\] \[\{NK1\}\] PV1 \[PV2\] \[\{ROL\}\]/);
    assert.match(text('2.6', 'ADT_A01'), /\[\{ARV\}\] \[\{ROL\}\].*PV2\] \[\{ARV\}\] \[\{ROL\}\]/);
    assert.equal(
      text('2.4', 'ADT_A17'),
      'MSH EVN PID [PD1] PV1 [PV2] [{DB1}] [{OBX}] PID [PD1] PV1 [PV2] [{DB1}] [{OBX}]',
    );
    assert.match(
      text('2.4', 'NMR_N01'),
      /\[NCK\] \[\{NTE\}\] \[NST\] \[\{NTE\}\] \[NSC\] \[\{NTE\}\]/,
    );
    assert.match(text('2.4', 'ORM_O01'), /ORDER_DETAIL: <OBR\|RQD\|RQ1\|RXO\|ODS\|ODT>/);
    assert.match(text('2.7', 'CCM_I21'), /ROLE_CLINICAL_HISTORY: <ROL\|PRD>/);
  });

  it('know which structure an event uses', () => {
    const used = (version: string, type: string, event?: string): string | undefined =>
      definitions(version).structureFor(type, event)?.id;
    assert.equal(used('2.4', 'ADT', 'A08'), 'ADT_A01');
    assert.equal(used('2.3', 'ADT', 'A08'), 'ADT_A08');
    assert.equal(used('2.5', 'SIU', 'S14'), 'SIU_S12');
    assert.equal(used('2.4', 'ACK', 'A01'), 'ACK');
    assert.equal(used('2.4', 'ACK'), 'ACK');
    assert.equal(used('2.4', 'RSP', 'K11'), 'RSP_K11');
    assert.equal(used('2.7', 'ADT', 'A40'), 'ADT_A39');
    assert.equal(used('2.4', 'ADT', 'Z99'), undefined);
    const a04 = definitions('2.5').structureFor('ADT', 'A04');
    assert.ok(a04 && segmentsOf(a04).has('SFT'));
  });

  it('have every structure readable and made of segments the version defines', () => {
    for (const version of versions) {
      const known = definitions(version);
      for (const id of ['ACK', 'ADT_A01', 'ADT_A40', 'ORU_R01', 'ORM_O01', 'QRY_A19', 'DFT_P03']) {
        const structure = known.structure(id);
        if (!structure) continue;
        assert.equal(formatStructure(structure).startsWith('MSH'), true);
        const strange = [...segmentsOf(structure)].filter((name) => !known.segment(name));
        assert.deepEqual(strange, [], `${id} of ${version}`);
      }
    }
  });

  it('serve the nearest version', () => {
    const nearest = { '2.7.1': '2.7', '2.9': '2.8', '3': '2.8', '2.3.2': '2.3.1', '2.10': '2.8' };
    for (const [asked, served] of Object.entries(nearest)) {
      assert.equal(nearestVersion(asked), served);
    }
    assert.equal(nearestVersion('1.0'), '2.1');
    assert.equal(nearestVersion(''), '2.4');
    assert.equal(nearestVersion('2.5^GBR'), '2.4');
    assert.equal(definitions('2.5.1').version, '2.5.1');
    assert.equal(definitions('2.5.1'), definitions('2.5.1'));
  });
});
