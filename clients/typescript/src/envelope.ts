/**
 * The envelope of a transaction: JWS (RFC 7515), in one spelling for each number of signatures.
 *
 * One signature: compact. Two to sixteen: the RFC 8785 form of the general JSON serialization, with
 * signatures in ascending order of their keys' bytes.
 */

import {
  ascii,
  base64urlOf,
  type Bytes,
  bytesOfBase64url,
  compared,
  same,
  textOf,
  utf8,
} from "./bytes.js";
import { isValid } from "./ed25519.js";
import { canonical, type Json, list, parsed, shaped, text } from "./json.js";
import { publicKeyOf, type Signer } from "./keys.js";

/** The `typ` of a transaction's protected header. */
export const TRANSACTION = "tongbao-tx+jws";

const SIGNATURES_LIMIT = 16;
const SIGNATURE_BYTES = 64;
const HEADER = { alg: text(/^(?:Ed25519|EdDSA)$/), kid: text(), typ: text() };
const PART = { protected: text(), signature: text() };
const GENERAL = { payload: text(), signatures: list(isPart, 2, SIGNATURES_LIMIT) };

/** One signature and all that is needed to check it. */
export interface Signature {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly signed: Bytes;
  readonly signature: Uint8Array;
}

/** A decoded envelope: the payload's bytes and who signed them. */
export interface Envelope {
  readonly payload: Bytes;
  readonly signatures: readonly Signature[];
}

interface Part {
  readonly protected: string;
  readonly signature: string;
}

/** Sign a payload with every signer: the transaction in the ledger's spelling. */
export async function sign(payload: Uint8Array, ...signers: readonly Signer[]): Promise<string> {
  const body = base64urlOf(payload);
  const sorted = [...signers].sort((left, right) =>
    compared(publicKeyOf(left.keyId), publicKeyOf(right.keyId)),
  );
  const parts = await Promise.all(
    sorted.map(async (signer) => {
      const header = protectedHeader(signer.keyId);
      const signature = await signer.sign(utf8(`${header}.${body}`));
      return { protected: header, signature: base64urlOf(signature) };
    }),
  );
  return spelled(body, parts);
}

/**
 * One transaction out of several that carry signatures of the same payload.
 *
 * Throws TypeError when the payloads differ or one of them is no envelope.
 */
export function combine(...transactions: readonly string[]): string {
  const read = transactions.map(readAny);
  const body = read[0]?.body;
  if (body === undefined || read.some((one) => one.body !== body)) {
    throw new TypeError("the transactions do not have the same payload");
  }
  const parts = read.flatMap((one) => one.parts);
  parts.sort((left, right) => compared(keyIn(left), keyIn(right)));
  return spelled(body, parts);
}

/** Read an envelope in the ledger's spelling; signatures are not checked. Throws TypeError. */
export function readEnvelope(transaction: string): Envelope {
  ascii(transaction);
  const { body, parts } = readAny(transaction);
  const signatures = parts.map((part) => signatureOf(part, body, TRANSACTION));
  if (parts.length > 1) {
    if (canonical({ payload: body, signatures: parts }) !== transaction) {
      throw new TypeError("general JSON is not in RFC 8785 form");
    }
    checkOrder(signatures);
  }
  return { payload: bytesOfBase64url(body), signatures };
}

/** Read a compact JWS of a type; the signature is not checked. Throws TypeError. */
export function readCompact(jws: string, typ: string): { payload: Bytes; signature: Signature } {
  ascii(jws);
  const { body, parts } = compactParts(jws);
  const signature = signatureOf(parts[0], body, typ);
  return { payload: bytesOfBase64url(body), signature };
}

/** Whether every signature is right for the key that its header names. */
export async function areSigned(signatures: readonly Signature[]): Promise<boolean> {
  const found = await Promise.all(
    signatures.map((one) => isValid(one.publicKey, one.signed, one.signature)),
  );
  return found.every((valid) => valid);
}

function protectedHeader(keyId: string): string {
  return base64urlOf(utf8(canonical({ alg: "Ed25519", kid: keyId, typ: TRANSACTION })));
}

function isPart(value: Json): boolean {
  shaped(value, PART);
  return true;
}

function readAny(transaction: string): { body: string; parts: readonly Part[] } {
  if (!transaction.startsWith("{")) return compactParts(transaction);
  const general = shaped(parsed(transaction), GENERAL);
  return { body: general["payload"] as string, parts: general["signatures"] as unknown as Part[] };
}

function compactParts(jws: string): { body: string; parts: readonly [Part] } {
  const [header, body, signature, ...more] = jws.split(".");
  if (header === undefined || body === undefined || signature === undefined || more.length > 0) {
    throw new TypeError("a compact JWS has three parts");
  }
  return { body, parts: [{ protected: header, signature }] };
}

function spelled(body: string, parts: readonly Part[]): string {
  const [first] = parts;
  if (first === undefined || parts.length > SIGNATURES_LIMIT) {
    throw new TypeError(`a transaction has 1 to ${SIGNATURES_LIMIT} signatures`);
  }
  if (parts.length === 1) return `${first.protected}.${body}.${first.signature}`;
  checkOrder(parts.map((part) => signatureOf(part, body, TRANSACTION)));
  return canonical({ payload: body, signatures: parts });
}

function checkOrder(signatures: readonly Signature[]): void {
  signatures.forEach((one, at) => {
    const before = signatures[at - 1];
    if (before !== undefined && compared(before.publicKey, one.publicKey) >= 0) {
      throw new TypeError("signatures ascend by key, and no key signs twice");
    }
  });
}

function keyIn(part: Part): Uint8Array {
  return publicKeyOf(headerOf(part.protected, TRANSACTION));
}

function signatureOf(part: Part, body: string, typ: string): Signature {
  const keyId = headerOf(part.protected, typ);
  const signature = bytesOfBase64url(part.signature);
  if (signature.length !== SIGNATURE_BYTES) throw new TypeError("a signature has 64 bytes");
  const signed = ascii(`${part.protected}.${body}`);
  return { keyId, publicKey: publicKeyOf(keyId), signed, signature };
}

/** The key id that a protected header names. Its three members come in any order. */
function headerOf(encoded: string, typ: string): string {
  const bytes = bytesOfBase64url(encoded);
  const header = shaped(parsed(textOf(bytes)), HEADER) as Record<string, string>;
  // One spelling for each order: no spaces, no doubled names, no escapes.
  const members = Object.entries(header).map(([name, value]) => `"${name}":"${value}"`);
  if (header["typ"] !== typ || !same(utf8(`{${members.join(",")}}`), bytes)) {
    throw new TypeError(`the header is exactly alg (Ed25519), kid and typ (${typ})`);
  }
  return header["kid"] ?? "";
}
