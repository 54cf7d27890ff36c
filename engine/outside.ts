/** Joins a channel to what it asks: each destination named in its file becomes a function. */
import { dirname, join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { Apart, Mapper } from './apart/apart.ts';
import type { Channel, Destination } from './channel.ts';
import { type LoadedChannel, fileOf } from './config/site.ts';
import {
  type Surroundings as Environment,
  isSecretReference,
  resolveText,
} from './config/values.ts';
import type { Access, Tokens } from './gp/access.ts';
import { createGateway, gatewayAnywhere } from './gp/cdg.ts';
import { createDocuments, documentInteractions } from './gp/documents.ts';
import { structuredRecord } from './gp/gpconnect-request.ts';
import { createGpConnect } from './gp/gpconnect.ts';
import { careRecord } from './gp/html-request.ts';
import { asHtml, createHtml } from './gp/html.ts';
import type { ClientTls, Http, HttpOptions } from './gp/http.ts';
import { answeredId, createMllpGp } from './gp/mllp-gp.ts';
import type { Pace } from './gp/pace.ts';
import { createPds } from './gp/pds.ts';
import type { LocateEndpoint } from './gp/port.ts';
import { listedOnly, locateByTable } from './gp/practices.ts';
import { createSds } from './gp/sds.ts';
import { type Sessions, createSessions } from './gp/session.ts';
import { createSignedTokens } from './gp/signed-token.ts';
import { readSigningKey } from './gp/signing-key.ts';
import type { CompiledMappings } from './mapping/load.ts';
import type { DestinationOptions, MllpDestination } from './mllp/destination.ts';
import type { LinkTls } from './mllp/link.ts';
import type { Outside } from './work.ts';

/** What opens connections; handed in, so that cases are played without any. */
export interface Connectors {
  http(options: HttpOptions): Http;
  mllp(options: DestinationOptions, correlate: typeof answeredId): MllpDestination;
  /** The pace at which an address may be asked; without it nobody waits for a turn. */
  pace?(url: string, perSecond: number): Pace;
  /** Reads and maps records, large ones in a thread of their own; without it each is mapped here. */
  mapper?(
    folder: string,
    compiled: CompiledMappings,
  ): Mapper & Partial<Pick<Apart, 'read' | 'close'>>;
  /** Milliseconds since 1970; the machine's clock unless told. */
  now?(): number;
}

export interface Joined extends Omit<Outside, 'practiceOf'> {
  close(): Promise<void>;
}

type Of<K extends Destination['kind']> = Extract<Destination, { kind: K }>;

/**
 * Open what a channel's destinations need.
 * @param env where secrets (`${env:NAME}`) are looked up, now that they are needed
 * @throws Error that names the variable or file of a secret that is missing
 */
export function joinOutside(loaded: LoadedChannel, connect: Connectors, env: Environment): Joined {
  const { channel, practices } = loaded;
  const { now } = connect;
  const closers: (() => Promise<void> | void)[] = [];
  const named = <K extends Destination['kind']>(name: string | undefined, kind: K) => {
    const found = name === undefined ? undefined : channel.destinations[name];
    return found?.kind === kind ? { name: name as string, ...(found as Of<K>) } : undefined;
  };
  const mappings = loaded.mappings ?? join(dirname(loaded.file), '..', 'mappings');
  const mapper =
    loaded.mapping && channel.mapping
      ? connect.mapper?.(join(mappings, channel.mapping), loaded.mapping)
      : undefined;
  const http = (destination: Of<'pds' | 'sds' | 'gpconnect' | 'cdg'> & { name: string }) => {
    const { name, timeout, tls, connections } = destination;
    const client = connect.http({
      name,
      timeouts: { connect: timeout, headers: timeout, body: timeout, total: timeout },
      connections,
      maxReplyBytes: 'reply' in destination ? destination.reply : undefined,
      readApart: mapper?.read,
      tls: tls && clientTls(loaded, tls),
    });
    closers.push(() => client.close());
    return client;
  };
  const pds = named(channel.ask.trace, 'pds');
  const sds = named(channel.ask.locate, 'sds');
  const record = named(channel.ask.record, 'gpconnect');
  const joined: Joined = {
    mllp: {},
    gateways: {},
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
  if (mapper) {
    joined.mapper = mapper;
    closers.push(() => mapper.close?.());
  }
  if (pds) {
    const { url, apikey, signed, rate } = pds;
    const client = http(pds);
    const access = signed ? signedAccess(loaded, signed, client, env, now) : keyAccess(apikey, env);
    joined.trace = createPds({ url, access, pace: connect.pace?.(url, rate), now }, client);
  }

  const through = record?.name ?? '';
  const { unlisted } = channel.ask;
  const gateway = named(channel.ask.record, 'cdg');
  let anywhere = gateway && gatewayAnywhere(gateway.name);
  let sessions: Sessions | undefined;
  let directory: ((interaction: string) => LocateEndpoint) | undefined;
  if (sds) {
    const { url, apikey, rate, session = 0 } = sds;
    const client = http(sds);
    const access = keyAccess(apikey, env);
    const options = { url, access, pace: connect.pace?.(url, rate), destination: through };
    const search = (interaction: string) => createSds({ ...options, interaction }, client);
    const isListed = practices !== undefined && unlisted === 'refuse';
    directory = (of) => (isListed ? listedOnly(practices, search(of)) : search(of));
    sessions = createSessions(search(structuredRecord), session, now);
    anywhere ??= sessions.locate;
  }
  joined.locate = practices ? locateByTable(practices, through, unlisted, anywhere) : anywhere;
  if (record) {
    const { proxy, issuer, device } = record;
    const client = http(record);
    const options = { proxy, issuer, device, organisations: asids(channel), now };
    const ask = createGpConnect(options, client);
    joined.gpconnect = sessions ? sessions.watched(ask) : ask;
    // A practice's other services have addresses of their own, each under its interaction.
    if (directory && channel.ask.html) {
      joined.locateHtml = asHtml(directory(careRecord));
      joined.html = createHtml(options, client);
    }
    if (directory && channel.ask.documents !== 'off') {
      const content = channel.ask.documents === 'content';
      joined.locateDocuments = directory(documentInteractions.search);
      joined.documents = createDocuments({ ...options, content }, client);
    }
  }
  for (const name of Object.keys(channel.destinations)) {
    const gp = named(name, 'cdg');
    if (!gp) continue;
    const { url, issuer, device } = gp;
    const access = tokenAccess(gp.accessToken, env);
    joined.gateways[name] = createGateway({ url, issuer, device, access, now }, http(gp));
  }
  for (const name of Object.keys(channel.destinations)) {
    const gp = named(name, 'mllp');
    if (!gp) continue;
    const { host, port, timeout, reply, connections, tls } = gp;
    const options = {
      name,
      host,
      port,
      connections,
      connectMs: timeout,
      writeMs: timeout,
      answerMs: timeout,
      maxReplyBytes: reply,
      tls: tls && linkTls(loaded, tls),
    };
    const destination = connect.mllp(options, answeredId);
    closers.push(() => destination.close());
    joined.mllp[name] = createMllpGp(destination, channel.us, name, gp.accepts);
  }
  return joined;
}

/** A token that somebody else keeps fresh: it is read for each request. */
function tokenAccess(accessToken: string | undefined, env: Environment): Access {
  if (accessToken === undefined) return { kind: 'none' };
  const take: Tokens['take'] = async () => {
    try {
      return { token: resolveText(accessToken, env), hops: [] };
    } catch {
      return { failed: 'unavailable', detail: 'no access token', hops: [] };
    }
  };
  return { kind: 'token', tokens: { take, refuse: () => {} } };
}

function keyAccess(apikey: string | undefined, env: Environment): Access {
  return apikey === undefined
    ? { kind: 'none' }
    : { kind: 'apikey', key: resolveText(apikey, env) };
}

function signedAccess(
  loaded: LoadedChannel,
  signed: NonNullable<Of<'pds'>['signed']>,
  http: Http,
  env: Environment,
  now: (() => number) | undefined,
): Access {
  const { token: url, kid, privateKey } = signed;
  const pem = isSecretReference(privateKey)
    ? resolveText(privateKey, env)
    : fileOf(loaded, privateKey);
  const client = resolveText(signed.apikey, env);
  const options = { url, client, kid, key: signingKey(pem, loaded), now };
  return { kind: 'token', tokens: createSignedTokens(options, http) };
}

function signingKey(pem: string, { channel }: LoadedChannel): KeyObject {
  try {
    return readSigningKey(pem);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`channel ${channel.channel}, signed.privateKey: ${why}`, { cause: error });
  }
}

function asids(channel: Channel): { ods: string; asid: string }[] {
  return channel.organisations.flatMap(({ ods, asid }) => (asid ? [{ ods, asid }] : []));
}

/** What a destination over MLLP shows, and whom it trusts, read from the files its channel names. */
export function linkTls(loaded: LoadedChannel, tls: NonNullable<Destination['tls']>): LinkTls {
  const { certificate, key, authorities, serverName } = clientTls(loaded, tls);
  return { cert: certificate, key, ca: authorities, servername: serverName };
}

function clientTls(loaded: LoadedChannel, tls: NonNullable<Destination['tls']>): ClientTls {
  const read = (name: string | undefined) =>
    name === undefined ? undefined : fileOf(loaded, name);
  return {
    certificate: read(tls.certificate),
    key: read(tls.key),
    authorities: read(tls.authorities),
    serverName: tls.serverName,
  };
}
