/** Keys that sign: made here, read from a seed, or kept by WebCrypto. */

import { base64urlOf, bytesOfBase64url } from "./bytes.js";
import { generatePair, pairOfSeed } from "./ed25519.js";
import type { KeyPair } from "./ed25519_equation.js";
import { pairOfKeys } from "./ed25519_webcrypto.js";

/** A key, wherever it is kept: its name and what signs with it. */
export interface Signer {
  /** The public key in base64url: what an account lists, and the `kid` of its signatures. */
  readonly keyId: string;
  /** The Ed25519 signature of a message: 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A new key. Where WebCrypto makes it, its secret can never be read. */
export async function generateKey(): Promise<Signer> {
  return signerOf(await generatePair());
}

/** The key of a 32-byte secret seed, as bytes or as base64url (the `d` of a private JWK). */
export async function keyOfSeed(seed: Uint8Array | string): Promise<Signer> {
  return signerOf(await pairOfSeed(typeof seed === "string" ? bytesOfBase64url(seed) : seed));
}

/** The key in a private JWK (RFC 8037). Throws TypeError where its public key is another's. */
export async function keyOfJwk(jwk: JsonWebKey): Promise<Signer> {
  if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519" || jwk.d === undefined) {
    throw new TypeError("a private JWK has kty OKP, crv Ed25519 and d");
  }
  const signer = await keyOfSeed(jwk.d);
  if (jwk.x !== signer.keyId) throw new TypeError("x of the JWK is not the public key of its d");
  return signer;
}

/** The key in a WebCrypto pair, such as one that a page keeps in IndexedDB. */
export async function keyOfPair(keys: CryptoKeyPair): Promise<Signer> {
  return signerOf(await pairOfKeys(keys));
}

/** The 32 bytes that a key id names. Throws TypeError for another length or spelling. */
export function publicKeyOf(keyId: string): Uint8Array {
  const bytes = bytesOfBase64url(keyId);
  if (bytes.length !== 32) throw new TypeError("a key id is the key's 32 bytes in base64url");
  return bytes;
}

function signerOf(pair: KeyPair): Signer {
  return { keyId: base64urlOf(pair.publicKey), sign: (message) => pair.sign(message) };
}
