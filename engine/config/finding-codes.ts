/** What can be wrong with a configuration: a stable code for each, which `gatehouse explain` knows. */

export interface FindingDefinition {
  /** `GH-078n`: 78 is the exit code of a configuration that has errors. */
  code: string;
  /** One sentence for the analyst. */
  says: string;
  /** The next step, where the finding itself names none. */
  next: string;
}

// prettier-ignore
const table = {
  unsound: row(0, 'What the configuration says here does not fit the rest of it, or cannot be done.', 'Change the line that is named, then run "gatehouse config check".'),
  unreadable: row(1, 'A file or folder of the configuration is missing or cannot be read.', 'Check its name and its permissions, or name the folder of the site with --site.'),
  notYaml: row(2, 'The file is not YAML from this place on.', 'Look for a missing quote, a tab or a wrong indentation at this place or just above it.'),
  unknownKey: row(3, 'There is no such key; it would have no effect.', 'Correct the name of the key: "gatehouse config schema" lists them all.'),
  missingKey: row(4, 'A key that must be there is missing.', 'Add the key: "gatehouse config schema" says what it holds.'),
  wrongValue: row(5, 'The value of a key is not one it can have.', 'Correct the value: "gatehouse config schema" says what it may be.'),
  unresolved: row(6, 'A value or a secret that is kept elsewhere (${env:NAME}, ${file:/path}) is not to be had.', 'Set the variable, or put the file there, for the user that runs Gatehouse.'),
  doubtful: row(7, 'It works, and is probably not what is meant.', 'Change it, or leave it where it is meant so.'),
} satisfies Record<string, FindingDefinition>;

export type FindingName = keyof typeof table;

/** The kinds of finding, by name. */
export const findingKinds: Readonly<Record<FindingName, FindingDefinition>> = table;

function row(number: number, says: string, next: string): FindingDefinition {
  return { code: `GH-078${number}`, says, next };
}
