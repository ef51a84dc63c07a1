/** H, JCS and roots: docs/data-formats.md, "Everywhere". */

import canonicalize from "canonicalize";
import { type Bytes, four, joined, utf8 } from "./bytes.js";

/** SHA-256. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

/** RFC 8785 of a value, in UTF-8. */
export function jcs(value: unknown): Bytes {
  const text = canonicalize(value);
  if (text === undefined) throw new Error("this value has no canonical form");
  return utf8(text);
}

/** H(tag, parts). */
export function H(tag: string, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const told = parts.flatMap((part) => [four(part.length), part]);
  return sha256(utf8(`tongbao/data/${tag}/1\0`), ...told);
}

/** The root of RFC 6962, section 2.1. */
export async function root(leaves: readonly Uint8Array[]): Promise<Bytes> {
  if (leaves.length === 0) return sha256();
  const zero = Uint8Array.of(0);
  const one = Uint8Array.of(1);
  let level = await Promise.all(leaves.map((leaf) => sha256(zero, leaf)));
  while (level.length > 1) {
    const above: Promise<Bytes>[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at] as Bytes;
      const right = level[at + 1];
      above.push(right === undefined ? Promise.resolve(left) : sha256(one, left, right));
    }
    level = await Promise.all(above);
  }
  return level[0] as Bytes;
}

/** The root over chunks: what the ledger calls `package_root`. */
export async function rootOfChunks(chunks: readonly Uint8Array[]): Promise<Bytes> {
  return root(await Promise.all(chunks.map((chunk, index) => H("chunk", four(index), chunk))));
}
