/**
 * Ed25519 with the points of `@noble/ed25519`, where WebCrypto has none or follows another rule.
 *
 * The library's own `verify` has the equation with cofactor, which takes more; so only its points
 * are used, and the equation stands here.
 */

import { Point, getPublicKeyAsync, signAsync, utils } from "@noble/ed25519";

import { hexOf, joined, same, subtle } from "./bytes.js";
import type { Equation, KeyPair } from "./ed25519_equation.js";

const { n: ORDER } = Point.CURVE();

async function pair(seed: Uint8Array): Promise<KeyPair> {
  const kept = Uint8Array.from(seed);
  return {
    publicKey: await getPublicKeyAsync(kept),
    sign: (message) => signAsync(message, kept),
  };
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hexOf(Uint8Array.from(bytes).reverse())}`);
}

function pointOf(encoded: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(Uint8Array.from(encoded), false);
  } catch {
    return undefined; // the library's way to say that it is not on the curve
  }
}

/** The equation in the library's points. Not in constant time, and nothing here is secret. */
export const noble: Equation = {
  name: "noble",

  async holds(publicKey, message, signature) {
    const key = pointOf(publicKey);
    if (key === undefined) return false;
    const r = signature.subarray(0, 32);
    const hashed = await subtle().digest("SHA-512", joined(r, publicKey, message));
    const challenge = littleEndian(new Uint8Array(hashed)) % ORDER;
    const left = Point.BASE.multiplyUnsafe(littleEndian(signature.subarray(32)));
    return same(left.subtract(key.multiplyUnsafe(challenge)).toBytes(), r);
  },

  generate: () => pair(utils.randomSecretKey()),

  ofSeed: (seed) => pair(seed),
};
