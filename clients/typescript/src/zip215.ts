/**
 * Ed25519 by ZIP-215: the rule by which CometBFT judges votes, and nothing else here.
 *
 * It takes all that the ledger's own rule takes (`ed25519.ts`) and more: any spelling of a point,
 * points of small order, and the equation times 8. So that rule is asked first, by WebCrypto; only
 * where it says no, `@noble/ed25519` is loaded, whose `verify` is ZIP-215.
 */

import { isValid } from "./ed25519.js";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Whether the signature of a message is valid by ZIP-215. Never throws. */
export async function isValidVote(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (await isValid(publicKey, message, signature)) return true;
  const { verifyAsync } = await import("@noble/ed25519");
  return verifyAsync(
    Uint8Array.from(signature),
    Uint8Array.from(message),
    Uint8Array.from(publicKey),
    { zip215: true },
  );
}
