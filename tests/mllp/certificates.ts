/** Certificates made for one run of the tests. */
import selfsigned from 'selfsigned';

export interface Authority {
  cert: string;
  key: string;
}

export interface Certified extends Authority {
  /** Who signed it. */
  ca: string;
}

/** A certificate authority of our own. */
export async function authority(name: string): Promise<Authority> {
  const pems = await selfsigned.generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
    ],
  });
  return { cert: pems.cert, key: pems.private };
}

/**
 * A certificate for `name` and, unless told, the loopback address.
 * @param until its last day; a year from now unless told
 */
export async function certificate(
  by: Authority,
  name: string,
  options: { until?: Date; address?: string } = {},
): Promise<Certified> {
  const pems = await selfsigned.generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: by,
    ...(options.until && {
      notBeforeDate: new Date(Math.min(options.until.getTime(), Date.now()) - 86_400_000),
      notAfterDate: options.until,
    }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: options.address ?? '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: pems.cert, key: pems.private, ca: by.cert };
}
