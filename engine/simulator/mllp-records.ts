/**
 * GP records as HL7 v2 segments, one file `{NHS number}.hl7` a patient: the segments of both
 * answers, one a line. RSP^K11 takes all of them but PV1 and DG1; ADR^A19 only those its structure
 * has (HL7 v2.4 §3.3.19: PID PD1 PV1 OBX AL1 DG1, in that order).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Segment } from '../hl7/segment.ts';

export interface Hl7Record {
  rsp: Segment[];
  adr: Segment[];
}

const adrOrder = ['PID', 'PD1', 'PV1', 'OBX', 'AL1', 'DG1'];
const onlyAdr = ['PV1', 'DG1'];

/**
 * Read a folder of records; other files in it are left alone.
 * @throws Error naming the file where a line is no segment
 */
export function loadHl7Records(folder: string): Map<string, Hl7Record> {
  const records = new Map<string, Hl7Record>();
  for (const file of readdirSync(folder)) {
    const [, nhsNumber] = /^(\d{10})\.hl7$/.exec(file) ?? [];
    if (nhsNumber === undefined) continue;
    const where = join(folder, file);
    const lines = readFileSync(where, 'utf8').split(/\r\n|\r|\n/);
    const segments = lines.filter(Boolean).map((line) => segmentOf(line, where));
    records.set(nhsNumber, {
      rsp: segments.filter(({ name }) => !onlyAdr.includes(name)),
      adr: adrOrder.flatMap((wanted) => segments.filter(({ name }) => name === wanted)),
    });
  }
  return records;
}

/** The line as a segment that is written back as it stands. */
function segmentOf(line: string, where: string): Segment {
  const [name = '', ...fields] = line.split('|');
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) throw new Error(`${where}: a line is no HL7 segment`);
  return { name, fields: [], echo: Object.fromEntries(fields.map((raw, at) => [at + 1, raw])) };
}
