/**
 * Why a field of a case is what it is: the provenance of what was mapped, kept while it is played,
 * and found again by the line that came out.
 */
import type { Mapper } from '../apart/apart.ts';
import type { LoadedChannel } from '../config/site.ts';
import { standardDelimiters } from '../hl7/delimiters.ts';
import { encodeSegment } from '../hl7/encode.ts';
import { mapRecord } from '../mapping/apply.ts';
import type { Written } from '../mapping/feed/scope.ts';
import type { CompiledMappings } from '../mapping/load.ts';
import type { MappedRecord, MappedSegment } from '../mapping/mapped.ts';
import type { Entry } from '../journal/journal.ts';
import { compose } from '../push/message.ts';
import type { Why } from './compare.ts';

/** A field that a mapping set: by which rule, from where. */
export type Provenance = Pick<Written, 'target' | 'rule' | 'source'>;

export interface Reasons {
  /** Maps with a trace, and keeps it. */
  mapper(folder: string, compiled: CompiledMappings): Mapper;
  /** The channel with feed mappings whose changes are kept. */
  keeping(loaded: LoadedChannel): LoadedChannel;
  /** The fields that were set in this exchange. */
  fields(): Provenance[];
  /** Another exchange is played. */
  next(): void;
  /** The rules of mappings that wrote something in any of the exchanges, as `file:line`. */
  used: ReadonlySet<string>;
  /** Why a field of a line of a mapped record is what it is. */
  ofMapped(line: string, field: number): string | undefined;
  /** Why the fields of a section of this exchange are what they are. */
  of(section: string, channel: LoadedChannel, entries: readonly Entry[]): Why | undefined;
}

export function createReasons(): Reasons {
  let records: MappedRecord[] = [];
  /** By feed mapping: the place that was written, and how. */
  let written = new Map<string, Map<string, Written>>();
  const used = new Set<string>();

  function mapped(line: string, name: string, field: number): string | undefined {
    const target = `${name}-${field}`;
    const ofField = (place: string) => place === target || place.startsWith(`${target}.`);
    const segment = records.flatMap(segmentsOf).find((one) => textOf(one) === line);
    const missed = new Set(
      records.flatMap(({ missed: all = [] }) =>
        all.filter(({ place = '' }) => ofField(place)).map(({ says }) => says),
      ),
    );
    const [only] = missed;
    if (only !== undefined && missed.size === 1) return only;
    const traces = (segment?.trace ?? []).filter((one) => ofField(one.target));
    const [first] = traces;
    return first && `${first.source}, ${first.rule}`;
  }

  function delivered(lines: readonly string[], index: number, field: number, maps: Maps) {
    const name = lines[index]?.slice(0, 3) ?? '';
    let [count, at] = [0, index];
    // Up to the line that says what became of it at which destination.
    for (; at >= 0 && isSegment(lines[at] ?? ''); at--) {
      if (lines[at]?.startsWith(name)) count += 1;
    }
    const map = maps.get(lines[at]?.split(' ', 1)[0] ?? '');
    const places = written.get(map ?? '') ?? new Map<string, Written>();
    const wanted = new RegExp(`^${name}${count > 1 ? `\\[${count}\\]` : '(\\[1\\])?'}-${field}\\b`);
    const [found] = Array.from(places.values()).filter(({ target }) => wanted.test(target));
    return found && (found.missed ?? `${found.source}, ${found.rule}`);
  }

  return {
    mapper: (_folder, compiled) => ({
      map({ bundle }, options) {
        const record = mapRecord(compiled, bundle, { ...options, trace: true });
        records.push(record);
        for (const { rule, of = rule } of segmentsOf(record).flatMap(({ trace }) => trace ?? [])) {
          used.add(rule).add(of);
        }
        return record;
      },
      compose: (_record, _options, pushing, mapped) => compose({ ...pushing, record: mapped }),
    }),
    keeping(loaded) {
      const maps = Array.from(loaded.maps ?? [], ([name, mapping]) => {
        const apply: typeof mapping.apply = (message, context, told = () => {}) =>
          mapping.apply(message, context, (one) => {
            const places = written.get(name) ?? new Map<string, Written>();
            written.set(name, places.set(one.target, one));
            used.add(one.rule);
            told(one);
          });
        return [name, { ...mapping, apply }] as const;
      });
      return { ...loaded, maps: new Map(maps) };
    },
    used,
    ofMapped: (line, field) => mapped(line, line.slice(0, 3), field),
    fields: () => [
      ...records.flatMap(segmentsOf).flatMap(({ trace = [] }) => trace),
      ...Array.from(written.values(), (places) => [...places.values()]).flat(),
    ],
    next() {
      records = [];
      written = new Map();
    },
    of(section, { channel }, entries) {
      if (section === 'delivered') {
        const maps: Maps = new Map(channel.deliver.map(({ to, map }) => [to, map]));
        return (lines, index, field) => delivered(lines, index, field, maps);
      }
      if (section !== 'out') return undefined;
      return (lines, index, field) => {
        const line = lines[index] ?? '';
        const name = line.slice(0, 3);
        return name === 'MSA' && field === 1 ? faultIn(entries) : mapped(line, name, field);
      };
    },
  };
}

/** Which feed mapping a destination gets, by the name of the destination. */
type Maps = ReadonlyMap<string, string | undefined>;

const isSegment = (line: string) => /^[A-Z][A-Z0-9]{2}\W/.test(line);
const segmentsOf = ({ patient, datasets }: MappedRecord): MappedSegment[] => [
  ...patient,
  ...datasets.flatMap(({ segments }) => segments),
];
const textOf = (segment: MappedSegment) => encodeSegment(segment, standardDelimiters);

/** The fault a step ended with, with what it says of the place. */
function faultIn(entries: readonly Entry[]): string | undefined {
  const found = entries.findLast(({ kind, note }) => kind === 'step' && note?.fault !== undefined);
  if (!found) return undefined;
  const { fault, detail } = found.note ?? {};
  return [fault, detail].filter(Boolean).join(' ');
}
