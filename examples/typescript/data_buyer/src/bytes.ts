/** Bytes, and the few ways in which they are written: docs/data-formats.md, "Everywhere". */

export type Bytes = Uint8Array<ArrayBuffer>;

/** UTF-8 of a text. */
export function utf8(text: string): Bytes {
  return Uint8Array.from(new TextEncoder().encode(text));
}

/** Bytes one after another. */
export function joined(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A number as 4 bytes, big-endian. */
export function four(number: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** Lowercase hex. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The bytes of lowercase hex of a known length; throws for anything else. */
export function ofHex(text: unknown, length: number): Bytes {
  if (typeof text !== "string" || text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    throw new Error(`${length} bytes in lowercase hex are wanted here`);
  }
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** Base64url without padding. */
export function base64urlOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** The bytes of base64url in its one spelling; throws for another. */
export function ofBase64url(text: string): Bytes {
  const bytes = Uint8Array.from(Buffer.from(text, "base64url"));
  if (base64urlOf(bytes) !== text) throw new Error("this is not base64url");
  return bytes;
}

/** Whether two texts of bytes are the same. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
