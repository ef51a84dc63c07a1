/** What everybody signs: a payload in its RFC 8785 form, and its id. */

import { type Bytes, hexOf, sha256, utf8 } from "./bytes.js";
import { canonicalBytes, isObject } from "./json.js";
import type { Address, Message } from "./registry.js";

/** The members of a transaction; all of its messages happen, or none. */
export interface Payload {
  /** The chain's name and the first 8 hex digits of its genesis hash. */
  readonly chain: string;
  readonly sender: Address;
  /** From 1, each once in a lane. */
  readonly nonce: number;
  /** Milliseconds UTC, at most a day ahead; afterwards it never happens. */
  readonly expires: number;
  /** Those of the modules here, or of others. */
  readonly messages: readonly (Message | OtherMessage)[];
  readonly lane?: number;
  /** An account that signs too. */
  readonly sponsor?: Address;
  /** A business reference of 1 to 35 letters, digits and hyphens. */
  readonly reference?: string;
}

declare const OTHER: unique symbol;

/** A message of a module that this package does not know; made by `otherMessage`. */
export interface OtherMessage {
  readonly "@type": string;
  readonly [OTHER]: true;
}

const DOMAIN = utf8("tongbao/tx/1");

/**
 * The bytes that everybody signs. Lane 0 is left out, as whatever is undefined.
 *
 * Throws TypeError for null and for numbers that are no integers: amounts are decimal strings.
 */
export function payloadBytes(payload: Payload): Bytes {
  const { lane, ...members } = payload;
  checkNumbers(payload);
  return canonicalBytes(lane === undefined || lane === 0 ? members : { ...members, lane });
}

/** A message of another module: `otherMessage("diary.write", { text_hash })`. */
export function otherMessage(
  type: `${string}.${string}`,
  members: Readonly<Record<string, unknown>>,
): OtherMessage {
  return { ...members, "@type": type } as unknown as OtherMessage;
}

/** The id in hex, SHA-256("tongbao/tx/1" || payload): known before anybody signs. */
export async function transactionId(payload: Uint8Array): Promise<string> {
  return hexOf(await sha256(DOMAIN, payload));
}

function checkNumbers(value: unknown): void {
  if (value === null) throw new TypeError("leave out what is not there; null is no value here");
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(`${value}: numbers are integers; write amounts as text, "12.50"`);
  }
  if (typeof value === "bigint") throw new TypeError('write amounts as text, "12.50"');
  if (Array.isArray(value)) value.forEach(checkNumbers);
  else if (isObject(value)) Object.values(value).forEach(checkNumbers);
}
