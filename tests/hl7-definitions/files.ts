/** The generated definition files, one a version; the sources are loaded only when one is asked for. */
import { definitionFile, versions } from './versions.ts';

export const definitionFiles = Object.keys(versions).map((version) => ({
  path: `engine/hl7/definitions/v${version}.json`,
  generate: () => definitionFile(version),
}));
