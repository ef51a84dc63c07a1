// Making transactions: payloads, ids and envelopes are the golden bytes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import {
  bytesOfBase64url,
  combine,
  generateKey,
  isValid,
  keyOfJwk,
  keyOfPair,
  keyOfSeed,
  otherMessage,
  payloadBytes,
  publicKeyOf,
  readEnvelope,
  sign,
  transactionId,
} from "../dist/index.js";
import { golden } from "./golden.mjs";

const frozen = golden("transactions");
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (letters) => new TextEncoder().encode(letters);
const keyOf = (name) => keyOfSeed(createHash("sha256").update(name).digest());
const payment = {
  "@type": "asset.transfer",
  payee: "cd".repeat(20),
  asset: `CNY.${"ab".repeat(20)}`,
  amount: "12.50",
};
const payload = {
  sender: "ef".repeat(20),
  nonce: 1,
  expires: 1_790_003_600_000,
  chain: "demo-1a2b3c4d",
  messages: [payment],
};

test("a payload is the golden bytes, whatever the order of its members", async () => {
  const made = payloadBytes(payload);
  assert.equal(text(made), frozen.payload);
  assert.equal(await transactionId(made), frozen.id);
});

test("what is a default or undefined is left out of a payload", () => {
  const made = payloadBytes({
    ...payload,
    lane: 0,
    sponsor: undefined,
    messages: [{ ...payment, reference: undefined }],
  });
  assert.equal(text(made), frozen.payload);
  const fuller = { ...payload, lane: 3, sponsor: "ab".repeat(20), reference: "invoice-7" };
  assert.deepEqual(JSON.parse(text(payloadBytes(fuller))), fuller);
});

test("a message of another module is signed as it is", () => {
  const other = otherMessage("diary.write", { text_hash: "ab" });
  const made = JSON.parse(text(payloadBytes({ ...payload, messages: [other] })));
  assert.deepEqual(made.messages, [{ "@type": "diary.write", text_hash: "ab" }]);
});

test("null and numbers that are no integers are refused in a payload", () => {
  for (const amount of [12.5, 12n, null, Number.NaN, 2 ** 53]) {
    const wrong = { ...payload, messages: [{ ...payment, amount }] };
    assert.throws(() => payloadBytes(wrong), TypeError, String(amount));
  }
});

test("a signed transaction is the golden compact JWS", async () => {
  for (const name of ["compact", "hold"]) {
    const { payload: kept } = readEnvelope(frozen[name]);
    assert.equal(await sign(kept, await keyOf("alice")), frozen[name]);
  }
});

test("an envelope of three is the golden one, in any order of signers or by parts", async () => {
  const { payload: kept, signatures } = readEnvelope(frozen.envelope_of_three);
  assert.equal(text(kept), '{"any":"bytes"}');
  const named = await Promise.all(["ann", "ben", "cleo"].map(keyOf));
  const signers = signatures.map((one) => named.find((key) => key.keyId === one.keyId));
  const [first, second, third] = signers;
  assert.equal(await sign(kept, third, first, second), frozen.envelope_of_three);
  assert.equal(await sign(kept, named[0]), frozen.envelope_of_one);
  const alone = await Promise.all([second, third, first].map((signer) => sign(kept, signer)));
  assert.equal(combine(...alone), frozen.envelope_of_three);
  assert.equal(combine(combine(alone[0], alone[1]), alone[2]), frozen.envelope_of_three);
});

test("different payloads, or two signatures by one key, are not combined", async () => {
  const alice = await keyOf("alice");
  const [one, other] = [await sign(bytes("{}"), alice), await sign(bytes('{"a":1}'), alice)];
  assert.throws(() => combine(one, other), TypeError);
  assert.throws(() => combine(one, one), TypeError);
  assert.throws(() => combine(), TypeError);
});

test("an envelope in any other spelling is refused", () => {
  const [header, body, signature] = frozen.compact.split(".");
  const general = JSON.parse(frozen.envelope_of_three);
  const [first, second, third] = general.signatures;
  const other = (members) => JSON.stringify({ ...general, ...members });
  const headers = [
    '{"alg":"none","kid":"x","typ":"tongbao-tx+jws"}',
    '{"alg":"Ed25519", "kid":"x","typ":"tongbao-tx+jws"}',
    `{"alg":"Ed25519","kid":"${"A".repeat(43)}","typ":"JWT"}`,
    `{"alg":"Ed25519","kid":"${"A".repeat(42)}B","typ":"tongbao-tx+jws"}`,
    `{"alg":"Ed25519","kid":"${"A".repeat(43)}","typ":"tongbao-tx+jws","crit":[]}`,
  ].map((made) => `${Buffer.from(made).toString("base64url")}.${body}.${signature}`);
  const wrong = [
    ...headers,
    "",
    "{}",
    `${header}.${body}`,
    `${frozen.compact}.`,
    `${header}.${body}.${signature}=`,
    `${header}.${body}.${signature.slice(0, -2)}`,
    `${header}.${body} .${signature}`,
    `${frozen.envelope_of_three} `,
    other({ signatures: [first] }),
    other({ signatures: [first, third, second] }),
    other({ signatures: [first, first] }),
    other({ signatures: Array.from({ length: 17 }, () => first) }),
    other({ header: {} }),
    other({ signatures: [first, { ...second, header: {} }] }),
  ];
  for (const text of wrong) assert.throws(() => readEnvelope(text), Error, text);
});

test("a header is read in any order of its members", () => {
  const [header, ...rest] = frozen.compact.split(".");
  const { alg, kid, typ } = JSON.parse(Buffer.from(header, "base64url"));
  const turned = Buffer.from(JSON.stringify({ typ, kid, alg })).toString("base64url");
  assert.equal(readEnvelope([turned, ...rest].join(".")).signatures[0].keyId, kid);
});

test("a key is the same from its seed, its JWK and its WebCrypto pair", async () => {
  const seed = createHash("sha256").update("alice").digest();
  const signer = await keyOfSeed(seed);
  const jwk = { kty: "OKP", crv: "Ed25519", x: signer.keyId, d: seed.toString("base64url") };
  const { subtle } = globalThis.crypto;
  const publicKey = await subtle.importKey("raw", publicKeyOf(signer.keyId), "Ed25519", true, [
    "verify",
  ]);
  const privateKey = await subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
  const same = [await keyOfJwk(jwk), await keyOfPair({ publicKey, privateKey })];
  for (const other of [...same, await keyOfSeed(jwk.d)]) {
    assert.equal(other.keyId, signer.keyId);
    assert.deepEqual(await other.sign(bytes("x")), await signer.sign(bytes("x")));
  }
  await assert.rejects(keyOfJwk({ ...jwk, x: "A".repeat(43) }), TypeError);
  await assert.rejects(keyOfJwk({ ...jwk, crv: "X25519" }), TypeError);
  await assert.rejects(keyOfSeed(new Uint8Array(31)), TypeError);
});

test("new keys differ, and what they sign is valid", async () => {
  const [one, other] = [await generateKey(), await generateKey()];
  const signature = await one.sign(bytes("text"));
  assert.ok(await isValid(publicKeyOf(one.keyId), bytes("text"), signature));
  assert.ok(!(await isValid(publicKeyOf(other.keyId), bytes("text"), signature)));
});

test("base64url has one spelling", () => {
  for (const wrong of ["AB", "A", "AA=", "A+", "A/", "A A", "é"]) {
    assert.throws(() => bytesOfBase64url(wrong), TypeError, wrong);
  }
  assert.deepEqual(bytesOfBase64url("AAA"), new Uint8Array(2));
});
