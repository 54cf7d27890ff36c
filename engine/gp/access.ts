/** How we prove to PDS and SDS who we are: the headers that do so, kept out of every record. */

/**
 * - `none`: the sandbox and the simulator;
 * - `apikey`: an application key in the header `apikey`;
 * - `headers`: whoever holds keys and tokens gives the headers for each request (signed JWT, CIS2).
 */
export type Access =
  | { kind: 'none' }
  | { kind: 'apikey'; key: string }
  | { kind: 'headers'; authorisation: () => Promise<Record<string, string>> };

/**
 * The headers for one request.
 * @returns undefined where they could not be had (no token, for example): nothing can be asked then
 */
export async function authorise(access: Access): Promise<Record<string, string> | undefined> {
  if (access.kind === 'none') return {};
  if (access.kind === 'apikey') return { apikey: access.key };
  try {
    return await access.authorisation();
  } catch {
    return undefined;
  }
}
