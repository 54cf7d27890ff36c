/** What the simulator remembers and logs of the requests it was asked: never a patient in the log. */
import type { OperationOutcome } from 'fhir/r3.js';
import type { Emit } from '../events.ts';
import type { Answer, Request } from './http.ts';

/** One request as it came in, for tests and the demo. */
export interface AskedRequest {
  system: 'pds' | 'sds' | 'ssp' | 'cdg' | 'oauth' | 'unknown';
  request: Request;
  status: number;
  /** Code and reason of a refusal, as answered. */
  refused?: { code: string; why: string };
}

export interface Memory {
  /** The newest requests, oldest first. */
  asked: AskedRequest[];
  note(system: AskedRequest['system'], request: Request, answer: Answer): void;
}

const requestsKept = 1000;

export function createMemory(emit: Emit): Memory {
  const asked: AskedRequest[] = [];
  return {
    asked,
    note(system, request, answer) {
      const { status } = answer;
      const refused = refusalIn(answer);
      asked.push({ system, request, status, ...(refused && { refused }) });
      if (asked.length > requestsKept) asked.shift();
      const interaction = request.headers['ssp-interactionid'] ?? system;
      emit('simulator.asked', { interaction, status });
      if (!refused) return;
      // An address a caller made up could hold patient data.
      const detail = refused.why.replaceAll(/https?:\/\/\S*/g, '…');
      emit('simulator.refused', { interaction, status, code: refused.code, detail });
    },
  };
}

function refusalIn({ status, headers, body }: Answer): AskedRequest['refused'] {
  if (status < 400) return undefined;
  if (!headers['content-type']?.includes('json')) return { code: String(status), why: '' };
  const { issue, error, error_description } = JSON.parse(String(body)) as Partial<
    OperationOutcome & { error: string; error_description: string }
  >;
  const code = issue?.[0]?.details?.coding?.[0]?.code ?? error ?? String(status);
  return { code, why: issue?.[0]?.diagnostics ?? error_description ?? '' };
}
