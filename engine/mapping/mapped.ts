/** What a mapping gives: segments with the rule and the source element of each field. */
import type { Dataset } from '../gp/port.ts';
import type { Segment } from '../hl7/segment.ts';

/** Where one output field came from. */
export interface FieldTrace {
  /** For example `AL1-3.1`. */
  target: string;
  /** `mappings/gp-record/allergies.yaml:14`. */
  rule: string;
  /** `AllergyIntolerance/123#code.coding[1].code`, or the table row used. */
  source: string;
}

export interface MappedSegment extends Segment {
  /** Resource the segment came from, `AllergyIntolerance/123`. */
  from?: string;
  trace?: FieldTrace[];
}

/** C complete, E nothing recorded, D disabled, U unavailable, W warning. */
export type DataStatus = 'C' | 'E' | 'D' | 'U' | 'W';

export interface MappedDataset {
  dataset: Dataset;
  /** One or more; `W` carries its warning code, `W^confidential-items`. */
  status: { status: DataStatus; warning?: string }[];
  /** Clinical items carried (QAK-4 counts these). */
  items: number;
  /** The status OBX first, its NTEs, then the dataset's segments. */
  segments: MappedSegment[];
}

export interface MappedRecord {
  /** PID, PD1, NK1, NTE: once, before the datasets. */
  patient: MappedSegment[];
  datasets: MappedDataset[];
  /** What an analyst should know; codes and element paths, never values. */
  warnings: string[];
}
