/** The private key with which we prove who we are, read and judged in one place. */
import { type KeyObject, createPrivateKey } from 'node:crypto';

/**
 * Read a private key for RS512.
 * @param pem PKCS #8 or PKCS #1
 * @throws Error that says what is wrong with it, and nothing of what it holds
 */
export function readSigningKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error('this is no private key in PEM that can be read without a passphrase');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error('an RSA key is needed (RS512)');
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    throw new Error('the RSA key is shorter than 2048 bits');
  }
  return key;
}
