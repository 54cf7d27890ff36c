/** One rule of the real systems: what is sent wrong, and what must come back. */
import type { GpSimulator } from '../../../engine/simulator/gp.ts';
import type { Reply } from '../caller.ts';

export interface Row {
  /** What is sent, or what is wrong at the other side, in a few words. */
  sent: string;
  ask(sim: GpSimulator): Promise<Reply>;
  status: number;
  /** Of the error; empty where the request is accepted. */
  code: string;
  /** What the text of the error must be like, where that is laid down. */
  says?: RegExp;
}

/** The rules of one system, or of one part of what is sent to it. */
export interface Part {
  title: string;
  /** The document that lays them down. */
  clause: string;
  /** Coding system of the errors; undefined where they are no OperationOutcome. */
  system?: string;
  rows: Row[];
}

export const systems = {
  spine: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode',
  proxy: 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0',
  provider: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1',
};

/** `YYYY-MM-DD`, so many days from today. */
export const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
