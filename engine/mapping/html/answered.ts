/**
 * A dataset answered by the GP system's own view as HTML: its text, block by block, under a status
 * line that says so. Nothing of it is read as a code, a date or an amount, and nothing is concluded
 * from it but what a banner's class says by the specification (GP Connect 0.7, "Banners").
 */
import { type FaultName, faults } from '../../faults.ts';
import type { HtmlSection } from '../../gp/port.ts';
import type { Answered, Line } from '../answered.ts';
import { type Status, searchLimited, warningsSaid } from '../completeness.ts';
import type { MappedSegment } from '../mapped.ts';
import type { BuiltItem } from '../tree.ts';
import { type Block, bannerWarnings, blocksOf } from './lines.ts';
import { UnreadableXhtml } from './xhtml.ts';

/** Warning of a dataset that is answered by text. Ours. */
export const htmlView = 'html-view';

const label =
  "This is the GP system's own view of this part of the record, as text. It is not coded; how complete it is, its banners say.";

const rowNames: Readonly<Record<Block['kind'], [code: string, name: string]>> = {
  heading: ['GPREC.HTML.HEADING', 'Heading'],
  banner: ['GPREC.HTML.BANNER', 'Banner'],
  text: ['GPREC.HTML.TEXT', 'Text'],
  columns: ['GPREC.HTML.COLUMNS', 'Columns'],
  row: ['GPREC.HTML.ROW', 'Row'],
};

/**
 * The status line of a dataset and its sections, one item each.
 * @param sections those of this dataset; at least one
 * @param status OBX-4 of the status line
 */
export function htmlLine(sections: readonly HtmlSection[], status: string): Line {
  const statuses: Status[] = [];
  const notes: string[] = [];
  const items: BuiltItem[] = [];
  const state = (one: Status) => {
    if (!statuses.some((s) => s.status === one.status && s.warning === one.warning)) {
      statuses.push(one);
    }
  };
  const say = (text: string) => {
    if (!notes.includes(text)) notes.push(text);
  };
  for (const section of sections) {
    const read = readSection(section);
    if ('why' in read) {
      state({ status: 'U' });
      say(`${section.title}: ${read.why}`);
      continue;
    }
    state({ status: 'W', warning: htmlView });
    say(label);
    for (const { banner = '', kind, text } of read.blocks) {
      // The words of a warning are one wherever they stand, but in what was entered of the patient.
      const said = kind === 'row' ? [] : warningsSaid(text);
      const ofBanner = kind === 'banner' ? bannerWarnings[banner] : undefined;
      for (const warning of new Set([ofBanner ?? [], said].flat())) state({ status: 'W', warning });
      if (kind === 'banner' || said.length > 0) say(text);
    }
    if (section.limit !== undefined) {
      state({ status: 'W', warning: searchLimited });
      say(`${section.title}: ${section.limit}`);
    }
    items.push(itemOf(section, read.blocks));
  }
  return {
    list: { status },
    title: sections.map(({ title }) => title).join(', '),
    rule: 'engine/mapping/html',
    found: { statuses, notes, source: 'Composition.section.text' },
    items,
    textOnly: true,
    dates: [],
    patient: [],
  };
}

/** Put the sections that came in the place of what the datasets they answer would be without them. */
export function withHtml(answered: Answered, sections: readonly HtmlSection[]): Answered {
  const { dataset, lines } = answered;
  const own = sections.filter((section) => section.dataset === dataset);
  if (own.length === 0) return answered;
  // The patient comes with every reply; the summary is text beside it.
  if (dataset === 'PAT') return { dataset, lines: [...lines, htmlLine(own, 'PAT.SUM')] };
  // What the structured record says of itself stands beside the view that takes its place.
  const line = htmlLine(own, dataset);
  const notes = [...line.found.notes, ...lines[0].found.notes];
  return { dataset, lines: [{ ...line, found: { ...line.found, notes } }] };
}

/** The blocks of a section, or why there are none, in words for the clinician. */
function readSection({ html, fault }: HtmlSection): { blocks: Block[] } | { why: string } {
  if (!html) {
    const name: FaultName = fault?.name ?? 'gpReplyUnreadable';
    return { why: fault?.verbatim ?? faults[name].says };
  }
  try {
    const blocks = html.flatMap(blocksOf);
    return blocks.length > 0 ? { blocks } : { why: 'The GP system sent no text.' };
  } catch (error) {
    if (!(error instanceof UnreadableXhtml)) throw error;
    return { why: `What the GP system sent could not be read: ${error.message}.` };
  }
}

/** One section: an OBX for each block, in their order. */
function itemOf({ code }: HtmlSection, blocks: readonly Block[]): BuiltItem {
  const from = `Composition/${code}`;
  const segments = blocks.map(({ kind, text }) => {
    const fields: MappedSegment['fields'] = [undefined, undefined, 'TX'];
    fields[3] = [[...rowNames[kind], 'L']];
    fields[5] = text;
    fields[11] = 'F';
    const trace = [{ target: 'OBX-5', rule: 'engine/mapping/html', source: `${from}#text.div` }];
    return { segment: { name: 'OBX', fields, from, trace }, notes: [] };
  });
  return { segments, children: [] };
}
