/** Where a rule of a feed mapping is at work: the message, and what `each` has come to. */
import type { Message } from '../../hl7/message.ts';
import { type Path, formatPath, parsePath } from '../../hl7/path.ts';
import type { FeedEditor } from './editor.ts';

/** What the engine knows of a message besides its bytes; the same at every try. */
export interface FeedContext {
  /** The name of the exchange. */
  exchange: string;
  received: Date;
}

/** A place that was written, by which rule (`file:line`) and from what. */
export interface Written {
  target: string;
  rule: string;
  source: string;
  /** Why no table gave the value: `table sex: "I" has no row`. */
  missed?: string;
}

/** Told of each place that was written. */
export type Told = (written: Written) => void;

/** One segment, or one repetition of a field, that `each` has come to. */
type Bound = Pick<Path, 'segment' | 'occurrence' | 'field' | 'repetition'>;

export interface Scope {
  message: Message;
  context: FeedContext;
  told: Told;
  bound: readonly Bound[];
  /** Which one of the innermost `each`, from 1. */
  number?: number;
  /** Changes the message in the name of a rule. */
  editor(rule: string, source: string, missed?: string): FeedEditor;
}

/** A place as it is meant here: of the segment and the repetition that `each` has come to. */
export function resolve(scope: Scope, place: string): string {
  const path: Path = { ...parsePath(place) };
  for (const one of scope.bound) {
    if (path.segment !== one.segment) continue;
    if (path.occurrence !== undefined && path.occurrence !== one.occurrence) continue;
    path.occurrence = one.occurrence;
    if (one.field !== undefined && one.field === path.field) path.repetition ??= one.repetition;
  }
  return formatPath(path);
}

/** The scopes of an `each`, the last one first, so that what is taken out shifts nothing ahead. */
export function* scopesOf(scope: Scope, each: string): Generator<Scope> {
  const at = resolve(scope, each);
  const path = parsePath(at);
  const { segment, occurrence, field } = path;
  const count = field === undefined ? scope.message.count(segment) : scope.message.repetitions(at);
  for (let number = count; number > 0; number--) {
    const one: Bound =
      field === undefined
        ? { segment, occurrence: number }
        : { segment, occurrence: occurrence ?? 1, field, repetition: number };
    yield { ...scope, number, bound: [...scope.bound, one] };
  }
}
