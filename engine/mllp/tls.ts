/** What both ends of MLLP over TLS share: the material, and why a handshake failed. */
import type { TLSSocket } from 'node:tls';

/** Certificates and keys as PEM. */
export interface TlsMaterial {
  cert?: string | Buffer;
  key?: string | Buffer;
  /** Who is trusted; the certificate authorities of Node unless given. */
  ca?: string | Buffer;
  /** TLS 1.2 unless told; nothing older is ever spoken. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** The options of `node:tls` for this material; the peer is always verified. */
export function secureOptions(material: TlsMaterial) {
  const { cert, key, ca, minVersion = 'TLSv1.2' } = material;
  // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes nothing.
  return { cert, key, ca, minVersion, rejectUnauthorized: true };
}

/**
 * Why a handshake failed, in the words of OpenSSL: `CERT_HAS_EXPIRED`,
 * `ERR_SSL_WRONG_VERSION_NUMBER`, … Where the certificate of the peer was refused, the error itself
 * says only that the connection was closed; the reason stands on the socket.
 */
export function refusalReason(error: NodeJS.ErrnoException, socket?: TLSSocket): string {
  const verify = socket?.authorizationError as string | Error | null | undefined;
  if (verify) return typeof verify === 'string' ? verify : verify.message;
  return error.code ?? error.name;
}
