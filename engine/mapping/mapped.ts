/** What a mapping gives: segments with the rule and the source element of each field. */
import type { Dataset } from '../gp/port.ts';
import type { Segment } from '../hl7/segment.ts';

/**
 * How a record is laid out: `rsp` is RSP_K11 (every segment), `k21` RSP_K21 (the patient alone). In
 * the others what has no place of its own becomes OBX rows: `a19` ADR_A19, `i05` RCI_I05, `r04`
 * ORF_R04, `v03` VXR_V03, `ppr` PPR_PC1; in `text`, from which a document is written, everything.
 */
export const profiles = ['rsp', 'k21', 'a19', 'i05', 'r04', 'v03', 'ppr', 'text'] as const;
export type Profile = (typeof profiles)[number];

/** Where one output field came from. */
export interface FieldTrace {
  /** For example `AL1-3.1`. */
  target: string;
  /** `mappings/gp-record/allergies.yaml:14`. */
  rule: string;
  /** `AllergyIntolerance/123#code.coding[1].code`, or the table row used. */
  source: string;
  /** The rule of the field, where a type of datatypes.yaml or a rule below it made this part. */
  of?: string;
}

export interface MappedSegment extends Segment {
  /** Resource the segment came from, `AllergyIntolerance/123`. */
  from?: string;
  trace?: FieldTrace[];
  /** It belongs to the summary that opens the answer. */
  summary?: true;
}

/** A code that its table does not have, and where it would have stood. */
export interface Missed {
  /** For example `PID-8`. */
  place?: string;
  /** `table sex: "I" has no row`. */
  says: string;
}

/** C complete, E nothing recorded, D disabled, U unavailable, W warning. */
export type DataStatus = 'C' | 'E' | 'D' | 'U' | 'W';

/** What stands under one data-status line. */
export interface MappedGroup {
  /** Name of what it holds: `ALL.ENDED`, `Ended allergies`. */
  code: string;
  title: string;
  /** The status OBX with its notes, and what is no clinical item. */
  lines: MappedSegment[];
  /** One entry a clinical item: its segments are never parted. */
  items: MappedSegment[][];
}

export interface MappedDataset {
  dataset: Dataset;
  /** One or more; `W` carries its warning code, `W^confidential-items`. */
  status: { status: DataStatus; warning?: string }[];
  /** Clinical items carried (QAK-4 counts these). */
  items: number;
  groups: MappedGroup[];
  /** All of the groups, one after the other. */
  segments: MappedSegment[];
}

export interface MappedRecord {
  /** PID, PD1, NK1, NTE: once, before the datasets. */
  patient: MappedSegment[];
  datasets: MappedDataset[];
  /** What an analyst should know; codes and element paths, never values. */
  warnings: string[];
  /** Codes that were in no table, whatever became of them. Only with a trace. */
  missed?: readonly Missed[];
  /** Resources of the Bundle that are carried, and not merely named. Only with a trace. */
  presented?: ReadonlySet<object>;
}
