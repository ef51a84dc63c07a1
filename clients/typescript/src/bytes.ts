/** Bytes as text and back, each in one spelling, and SHA-256 by the platform. */

/** Bytes in memory of their own, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const HEX = /^(?:[0-9a-f]{2})*$/;
const CHUNK = 8_192;

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes. Throws TypeError when they are not. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The ASCII bytes of a text. Throws TypeError when it has other characters. */
export function ascii(text: string): Bytes {
  const bytes = utf8(text);
  if (bytes.length !== text.length) throw new TypeError("the text is not ASCII");
  return bytes;
}

/** Several pieces, one after the other. */
export function joined(...pieces: Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Below, at or above zero as `left` comes before, is, or comes after `right`. */
export function compared(left: Uint8Array, right: Uint8Array): number {
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Whether both hold the same bytes. */
export function same(left: Uint8Array, right: Uint8Array): boolean {
  return compared(left, right) === 0;
}

/** Lowercase hex. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes of lowercase hex. Throws TypeError for anything else. */
export function bytesOfHex(text: string): Bytes {
  if (!HEX.test(text)) throw new TypeError("not lowercase hex of whole bytes");
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

/** Base64url without padding (RFC 7515, section 2). */
export function base64urlOf(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of base64url text in its one spelling. Throws TypeError for anything else. */
export function bytesOfBase64url(text: string): Bytes {
  if (!BASE64URL.test(text) || text.length % 4 === 1) throw new TypeError("not base64url");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (base64urlOf(bytes) !== text) throw new TypeError("base64url with unused bits that are set");
  return bytes;
}

/** WebCrypto, which browsers give to pages from https and localhost only. Throws Error. */
export function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (found === undefined) throw new Error("no WebCrypto: serve the page by https or localhost");
  return found;
}

/** SHA-256 of pieces, one after the other. */
export async function sha256(...pieces: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await subtle().digest("SHA-256", joined(...pieces)));
}
