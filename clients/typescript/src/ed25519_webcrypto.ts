/** Ed25519 by WebCrypto (Secure Curves), whose specification asks for the equation of the rule. */

import { bytesOfBase64url, bytesOfHex, joined, subtle } from "./bytes.js";
import type { Equation, KeyPair } from "./ed25519_equation.js";

const NAME = "Ed25519";
/** The beginning of the PKCS #8 form of a seed (RFC 8410, section 7). */
const PKCS8 = bytesOfHex("302e020100300506032b657004220420");

/** The key pair of WebCrypto keys, however they were made or kept. */
export async function pairOfKeys(keys: CryptoKeyPair): Promise<KeyPair> {
  const publicKey = new Uint8Array(await subtle().exportKey("raw", keys.publicKey));
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await subtle().sign(NAME, keys.privateKey, joined(message))),
  };
}

/** WebCrypto's Ed25519; where it has none, nothing is valid and `followsTheRule` says so. */
export const webCrypto: Equation = {
  name: "webcrypto",

  async holds(publicKey, message, signature) {
    try {
          const key = await subtle().importKey("raw", joined(publicKey), NAME, false, ["verify"]);
      return await subtle().verify(NAME, key, joined(signature), joined(message));
    } catch (error) {
      // A key off the curve, or no such algorithm: both are DOMExceptions, and neither is a yes.
      if (error instanceof DOMException) return false;
      throw error;
    }
  },

  async generate() {
    const keys = await subtle().generateKey(NAME, false, ["sign", "verify"]);
    return pairOfKeys(keys as CryptoKeyPair);
  },

  async ofSeed(seed) {
      const pkcs8 = joined(PKCS8, seed);
    const readable = await subtle().importKey("pkcs8", pkcs8, NAME, true, ["sign"]);
    const { x } = await subtle().exportKey("jwk", readable);
    const privateKey = await subtle().importKey("pkcs8", pkcs8, NAME, false, ["sign"]);
    return {
      publicKey: bytesOfBase64url(x ?? ""),
      sign: async (message) =>
        new Uint8Array(await subtle().sign(NAME, privateKey, joined(message))),
    };
  },
};
