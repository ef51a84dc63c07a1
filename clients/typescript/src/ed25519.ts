/**
 * Ed25519 by the ledger's one rule, whatever the platform thinks of the corners.
 *
 * A signature R || S of a message by key A is valid when S < L; neither A nor R has a second
 * spelling (y < p) or is one of the 8 points of small order; A is on the curve; and
 * encode([S]B - [h]A) is R byte for byte (the equation without cofactor). Form and small points are
 * looked at here. The equation is WebCrypto's, if it answers the frozen cases as the rule does;
 * else it is worked out with the points of `@noble/ed25519`, which is loaded only then.
 */

import { bytesOfHex, hexOf } from "./bytes.js";
import { CASES } from "./ed25519_cases.js";
import type { Equation, KeyPair } from "./ed25519_equation.js";

const BYTES = 32;
const FIELD = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
const ORDER = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
const SMALL = new Set([
  "00".repeat(BYTES),
  `01${"00".repeat(BYTES - 1)}`,
  `ec${"ff".repeat(BYTES - 2)}7f`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/** Whether the signature of a message is valid by the rule. Never throws. */
export async function isValid(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isWellFormed(publicKey, signature)) return false;
  return (await equation()).holds(publicKey, message, signature);
}

/** A new key pair. Where WebCrypto makes it, the secret can't be read, not even by this page. */
export async function generatePair(): Promise<KeyPair> {
  return (await equation()).generate();
}

/** The key pair of a 32-byte secret seed. */
export async function pairOfSeed(seed: Uint8Array): Promise<KeyPair> {
  if (seed.length !== BYTES) throw new TypeError("a seed is 32 bytes");
  return (await equation()).ofSeed(seed);
}

/** What decides here, `webcrypto` or `noble`: for a test or an operator who wants to know. */
export async function decidedBy(): Promise<string> {
  return (await equation()).name;
}

/** Whether an equation gives the frozen answers. */
export async function followsTheRule(candidate: Equation): Promise<boolean> {
  for (const [key, message, signature, valid] of CASES) {
    const [publicKey, signed] = [bytesOfHex(key), bytesOfHex(signature)];
    const found =
      isWellFormed(publicKey, signed) &&
      (await candidate.holds(publicKey, bytesOfHex(message), signed));
    if (found !== valid) return false;
  }
  return true;
}

function isWellFormed(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== BYTES || signature.length !== 2 * BYTES) return false;
  const isBelowOrder = bigEndian(signature.subarray(BYTES)) < ORDER;
  return isBelowOrder && isPoint(publicKey) && isPoint(signature.subarray(0, BYTES));
}

/** One spelling, and none of the small points; the sign bit does not matter for either. */
function isPoint(encoded: Uint8Array): boolean {
  const unsigned = Uint8Array.from(encoded);
  unsigned[BYTES - 1] = (unsigned[BYTES - 1] ?? 0) & 0x7f;
  return bigEndian(unsigned) < FIELD && !SMALL.has(hexOf(unsigned));
}

/** Hex with the most significant digit first, so that texts compare as numbers do. */
function bigEndian(bytes: Uint8Array): string {
  return hexOf(Uint8Array.from(bytes).reverse());
}

let chosen: Promise<Equation> | undefined;

function equation(): Promise<Equation> {
  chosen ??= choose();
  return chosen;
}

async function choose(): Promise<Equation> {
  const { webCrypto } = await import("./ed25519_webcrypto.js");
  if (await followsTheRule(webCrypto)) return webCrypto;
  const { noble } = await import("./ed25519_noble.js");
  if (await followsTheRule(noble)) return noble;
  throw new Error("no Ed25519 here follows the ledger's rule: nothing can be believed");
}
