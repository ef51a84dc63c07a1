/** The account's key, and the three kinds of compact JWS that it signs or reads. */

import { readFile } from "node:fs/promises";
import { CompactSign, compactVerify, importJWK, type JWK } from "jose";
import { type Bytes, ofBase64url, utf8 } from "./bytes.js";

/** An Ed25519 key: its name, and what signs with it. */
export interface Signer {
  /** The public key's 32 bytes in base64url: what the account lists. */
  readonly kid: string;
  /** A compact JWS of a payload, for one use. */
  sign(typ: string, payload: Uint8Array): Promise<string>;
}

/** The key in a private JWK (RFC 8037). */
export async function signerOf(jwk: JWK): Promise<Signer> {
  const key = await importJWK(jwk, "Ed25519");
  const kid = jwk.x;
  if (kid === undefined) throw new Error("a private JWK of an Ed25519 key has x and d");
  return {
    kid,
    sign: (typ, payload) =>
      new CompactSign(payload).setProtectedHeader({ alg: "Ed25519", kid, typ }).sign(key),
  };
}

/** The key in a file that has a private JWK. */
export async function signerInFile(path: string): Promise<Signer> {
  return signerOf(JSON.parse(await readFile(path, "utf8")) as JWK);
}

const MEMBERS = "alg,kid,typ";
const MOST_BYTES = 4_096;

/** What a compact JWS says, and whose key said it; throws where it is not of the one form. */
export async function readSigned(
  text: string,
  typ: string,
): Promise<{ readonly kid: string; readonly payload: Bytes }> {
  const [head = ""] = text.split(".");
  if (text.length > MOST_BYTES) throw new Error("a signed text is too long");
  const written = new TextDecoder("utf-8", { fatal: true }).decode(ofBase64url(head));
  const header = JSON.parse(written) as Record<string, unknown>;
  const { alg, kid } = header;
  const right =
    Object.keys(header).sort().join() === MEMBERS &&
    JSON.stringify(header) === written &&
    (alg === "Ed25519" || alg === "EdDSA") &&
    header["typ"] === typ &&
    typeof kid === "string" &&
    ofBase64url(kid).length === 32;
  if (!right) throw new Error(`this is not a ${typ}`);
  const key = await importJWK({ kty: "OKP", crv: "Ed25519", x: kid }, alg);
  const { payload } = await compactVerify(utf8(text), key);
  return { kid, payload: Uint8Array.from(payload) };
}
