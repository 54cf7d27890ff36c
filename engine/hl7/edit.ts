/** What may be written where, and the sentences for what may not. */
import { keepsItsCharacters, unrepresentable } from './charset.ts';
import type { CharsetName } from './charset.ts';
import type { Delimiters } from './delimiters.ts';
import { isHeader } from './node.ts';
import { formatPath } from './path.ts';
import type { Path } from './path.ts';

/** MSH-1 and MSH-2 say how everything else is read. */
export function refuseDelimiters(path: Path): void {
  if (path.field !== undefined && path.field <= 2 && isHeader(path.segment)) {
    throw cannotSet(path, 'the delimiters of a message cannot be changed in place');
  }
}

/** A node's text may hold what lies below it, nothing that would end it. */
export function refuseSeparators(path: Path, text: string, delimiters: Delimiters): void {
  const { field, repetition, component, subcomponent } = delimiters;
  const ending: string[] = ['\r', '\n'];
  if (path.field !== undefined) ending.push(field);
  if (path.repetition !== undefined || path.component !== undefined) ending.push(repetition);
  if (path.component !== undefined) ending.push(component);
  if (path.subcomponent !== undefined) ending.push(subcomponent);
  if (ending.some((separator) => separator !== '' && text.includes(separator))) {
    throw cannotSet(path, 'the text holds a separator or line end that would end this node');
  }
  if (path.field === undefined && !text.startsWith(path.segment + field)) {
    throw cannotSet(path, `its text must begin with ${path.segment}${field}`);
  }
}

/** No separator may be swallowed by a broken double-byte character before it. */
export function refuseMerging(path: Path, segment: string, charset: CharsetName): void {
  if (keepsItsCharacters(segment, charset)) return;
  throw cannotSet(
    path,
    `a broken ${charset} character before it would take a byte of what follows`,
  );
}

export function cannotSet(path: Path, why: string): Error {
  return new Error(`${formatPath(path)} cannot be set: ${why}.`);
}

export function notInCharset(path: Path, text: string, charset: CharsetName): Error {
  return cannotSet(
    path,
    `the message's character set ${charset} (MSH-18) has no ${unrepresentable(text, charset) ?? 'such character'}; ` +
      'build the message anew in UNICODE UTF-8, or write the value without it',
  );
}
