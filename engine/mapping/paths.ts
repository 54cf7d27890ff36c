/** Paths of a mapping: compiled with findings, and located in the source for provenance. */
import { type Path, compilePath } from './condition.ts';
import type { ReadingScope } from './coverage.ts';
import { extensionName } from './evaluate.ts';
import { type Library, type Place, report, ruleAt, suggestion } from './library.ts';
import { locate } from './locate.ts';
import type { Scope } from './scope.ts';

/** Compile an expression and note what it reads; undefined, with a finding, where it is wrong. */
export function compileAt(
  source: string,
  place: Place,
  library: Library,
  reading: ReadingScope,
): Path | undefined {
  for (const [, name = ''] of source.matchAll(/%site\.(\w+)/g)) library.siteSettings.add(name);
  for (const [, name = ''] of source.matchAll(/%([A-Za-z_]\w*)/g)) {
    if (reading.variables.has(name)) continue;
    const known = [...reading.variables.keys()];
    report(
      library,
      place,
      `%${name} is not known here${suggestion(name, known)}`,
      `known: ${known.map((one) => `%${one}`).join(', ')}`,
    );
    return undefined;
  }
  for (const [, name = ''] of source.matchAll(/ext\('([^']+)'\)/g)) {
    library.extensions.add(extensionName(name));
  }
  try {
    return compilePath(source, ruleAt(place), reading.variables.keys());
  } catch (error) {
    report(
      library,
      place,
      `"${source}" is not FHIRPath: ${(error as Error).message.split('\n')[0]}`,
    );
    return undefined;
  }
}

/** Where the values of a path stand, in their order. */
export function placesOf(path: Path, scope: Scope): string[] {
  if (!path.expression) return [scope.at + path.source];
  return locate(path.expression, {
    focus: scope.focus.map((value) => ({ value, path: scope.at })),
    variables: scope.variables,
    variable: (name) =>
      (scope.variables[name] ?? []).map((value, i) => ({
        value,
        path: scope.places[name]?.[i] ?? `%${name}`,
      })),
  }).map((one) => one.path);
}
