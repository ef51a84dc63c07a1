/** HPKE envelopes and padded, sealed chunks: docs/data-formats.md. */

import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { type Bytes, four, joined } from "./bytes.js";

const SUITE = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** A new X25519 key: the secret's 32 bytes and the public ones. */
export async function drawExchangeKey(): Promise<{ secret: Bytes; open: Bytes }> {
  const pair = await SUITE.kem.generateKeyPair();
  const secret = await SUITE.kem.serializePrivateKey(pair.privateKey);
  const open = await SUITE.kem.serializePublicKey(pair.publicKey);
  return { secret: new Uint8Array(secret), open: new Uint8Array(open) };
}

/** What an envelope brings; throws for another key or another info. */
export async function openEnvelope(secret: Bytes, envelope: Bytes, info: Bytes): Promise<Bytes> {
  const recipientKey = await SUITE.kem.importKey("raw", secret.slice().buffer, false);
  const given = { recipientKey, enc: envelope.slice(0, 32).buffer, info: info.slice().buffer };
  const context = await SUITE.createRecipientContext(given);
  return new Uint8Array(await context.open(envelope.slice(32).buffer));
}

/** An envelope for a reader's key. */
export async function putIntoEnvelope(reader: Bytes, text: Bytes, info: Bytes): Promise<Bytes> {
  const recipientPublicKey = await SUITE.kem.importKey("raw", reader.slice().buffer, true);
  const given = { recipientPublicKey, info: info.slice().buffer };
  const context = await SUITE.createSenderContext(given);
  const sealed = await context.seal(text.slice().buffer);
  return joined(new Uint8Array(context.enc), new Uint8Array(sealed));
}

const CHUNK_BYTES = 65_536;

/** How long a sealed chunk is. */
export const SEALED_BYTES = CHUNK_BYTES + 16;

/** Chunks that this program holds in memory: 128 MiB, and 256 MiB of evidence. */
export const MOST_CHUNKS = 2_048;

/** Sealed bytes in chunks; throws where they are not whole chunks. */
export function cut(bytes: Bytes): Bytes[] {
  if (bytes.length % SEALED_BYTES !== 0) throw new Error("these are not whole chunks");
  const count = bytes.length / SEALED_BYTES;
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * SEALED_BYTES, (index + 1) * SEALED_BYTES),
  );
}

function cipherOf(context: Bytes, index: number, count: number): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: joined(new Uint8Array(8), four(index)),
    additionalData: joined(context, four(index), four(count)),
  };
}

function keyOf(key: Bytes, use: KeyUsage): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);
}

/** The text that chunks hold; throws where they do not open. */
export async function openChunks(
  key: Bytes,
  context: Bytes,
  chunks: readonly Bytes[],
): Promise<Bytes> {
  const count = chunks.length;
  if (count < 1 || count & (count - 1)) throw new Error("their number is no power of two");
  const opener = await keyOf(key, "decrypt");
  const plain: Bytes[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const opened = await crypto.subtle.decrypt(cipherOf(context, index, count), opener, chunk);
    if (opened.byteLength !== CHUNK_BYTES) throw new Error(`chunk ${index} is of another size`);
    plain.push(new Uint8Array(opened));
  }
  const all = joined(...plain);
  const length = new DataView(all.buffer).getBigUint64(0);
  if (length > BigInt(all.length - 8)) throw new Error("the text is longer than its chunks");
  const end = 8 + Number(length);
  if (all.subarray(end).some((byte) => byte !== 0)) throw new Error("the padding is not zero");
  return all.slice(8, end);
}

/** A text in padded, sealed chunks. */
export async function sealChunks(key: Bytes, context: Bytes, text: Bytes): Promise<Bytes[]> {
  const wanted = Math.ceil((8 + text.length) / CHUNK_BYTES);
  const count = 2 ** Math.ceil(Math.log2(wanted));
  if (count > 2 * MOST_CHUNKS) throw new Error("this text is too long for this program");
  const plain = new Uint8Array(count * CHUNK_BYTES);
  new DataView(plain.buffer).setBigUint64(0, BigInt(text.length));
  plain.set(text, 8);
  const sealer = await keyOf(key, "encrypt");
  const sealed: Bytes[] = [];
  for (let index = 0; index < count; index += 1) {
    const part = plain.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const chunk = await crypto.subtle.encrypt(cipherOf(context, index, count), sealer, part);
    sealed.push(new Uint8Array(chunk));
  }
  return sealed;
}
