/**
 * What was asked for beside the record (sections of HTML, documents) in the place of the datasets it
 * answers.
 */
import type { Beside, Dataset } from '../gp/port.ts';
import type { Answered } from './answered.ts';
import { areaStatus } from './completeness.ts';
import { withHtml } from './html/answered.ts';
import { type CompiledMappings, engineTables } from './load.ts';
import { indexRecord } from './record.ts';
import type { MapOptions } from './scope.ts';

/**
 * The datasets asked for that a record says nothing of: the practice's system does not know them, or
 * answered neither with a list nor with a word. One that is switched off is answered: that was decided.
 */
export function unansweredIn(
  compiled: CompiledMappings,
  bundle: unknown,
  asked: readonly Dataset[],
): Dataset[] {
  const record = indexRecord(bundle);
  const emptyReasons = compiled.tables.get(engineTables.emptyReasons);
  return asked.filter((dataset) => {
    const mapping = compiled.datasets.get(dataset);
    if (dataset === 'PAT' || mapping?.view) return false;
    const [main] = mapping?.lists ?? [];
    if (!main) return true;
    const carried = { missing: [], cautions: [] };
    const { statuses } = areaStatus(record, main.list, carried, emptyReasons);
    return statuses.every(({ status }) => status === 'U');
  });
}

/**
 * A dataset as it is answered in the end.
 * @param read answers a dataset from another Bundle than the record's
 */
export function withBeside(
  answered: Answered,
  beside: Beside,
  read: (bundle: unknown, limits: MapOptions['limits'], dataset: Dataset) => Answered,
): Answered {
  const { html = [], documents } = beside;
  if (answered.dataset !== 'DOC' || !documents) return withHtml(answered, html);
  if ('bundle' in documents) return read(documents.bundle, { DOC: documents.limit }, 'DOC');
  const { status, says } = documents;
  const [line] = answered.lines;
  return {
    dataset: 'DOC',
    lines: [{ ...line, found: { statuses: [{ status }], notes: [says], source: 'Gatehouse' } }],
  };
}
