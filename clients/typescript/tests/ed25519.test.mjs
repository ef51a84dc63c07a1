// Signatures are judged by the ledger's rule, by WebCrypto and by the library alike.
import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOfHex } from "../dist/bytes.js";
import { decidedBy, followsTheRule, isValid } from "../dist/ed25519.js";
import { noble } from "../dist/ed25519_noble.js";
import { webCrypto } from "../dist/ed25519_webcrypto.js";
import { lacksVectors, vectors } from "./golden.mjs";

// Which of the 12 cases of ed25519-speccheck the ledger accepts, as tests/kernel has it.
const SPECCHECK = [false, false, false, true, ...Array(8).fill(false)];
// Further cases of the ledger's self test: small keys, second spellings, a neutral R.
const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const FIVE_B = "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df";
const FIVE = `05${"00".repeat(31)}`;
const ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
const NEUTRAL = `01${"00".repeat(31)}`;
const NEUTRAL_AGAIN = `ee${"ff".repeat(30)}7f`;
const SMALL_R = "59ef003ff1a66860903c4dc5a093720960a03c389f5f2459ff19a4e72024d808";
const SPELLED_R = "3025439d280c3a2da765e3fa99ee4e4aa1a2553e337794c3d1b4af5c26aaa30d";
const REFUSED = [
  [ORDER_8, "31", FIVE_B + FIVE],
  [NEUTRAL_AGAIN, "30", FIVE_B + FIVE],
  [KEY, "30", NEUTRAL + SMALL_R],
  [KEY, "30", NEUTRAL_AGAIN + SPELLED_R],
  [`02${"00".repeat(31)}`, "30", FIVE_B + FIVE],
  [KEY.slice(2), "30", FIVE_B + FIVE],
  [KEY, "30", FIVE_B + FIVE + FIVE],
  ["", "", ""],
];

const judged = (key, message, signature) =>
  isValid(bytesOfHex(key), bytesOfHex(message), bytesOfHex(signature));

test("the platform here follows the rule, and so does the library", async () => {
  assert.equal(await decidedBy(), "webcrypto");
  assert.ok(await followsTheRule(noble));
  assert.ok(await followsTheRule(webCrypto));
});

test("a platform with another answer is not taken", async () => {
  const agrees = { ...webCrypto, holds: async () => true };
  const denies = { ...webCrypto, holds: async () => false };
  assert.ok(!(await followsTheRule(agrees)));
  assert.ok(!(await followsTheRule(denies)));
});

const world = { skip: lacksVectors };

test("speccheck cases are accepted as the ledger accepts them", world, async () => {
  const cases = vectors("ed25519/cases.json");
  const found = await Promise.all(
    cases.map((one) => judged(one.pub_key, one.message, one.signature)),
  );
  assert.deepEqual(found, SPECCHECK);
});

test("small points, second spellings and wrong lengths are refused", async () => {
  for (const one of REFUSED) assert.ok(!(await judged(...one)), one.join(" "));
});

test("Wycheproof's cases are judged as published, by both", world, async () => {
  const counts = { valid: 0, invalid: 0 };
  for (const { publicKey, tests } of vectors("ed25519/ed25519_test.json").testGroups) {
    for (const { msg, sig, result, tcId } of tests) {
      counts[result] += 1;
      const expected = result === "valid";
      assert.equal(await judged(publicKey.pk, msg, sig), expected, `case ${tcId}`);
      if (sig.length !== 128 || !expected) continue;
      const bytes = [publicKey.pk, msg, sig].map(bytesOfHex);
      assert.ok(await noble.holds(...bytes), `case ${tcId} by the library`);
    }
  }
  assert.ok(counts.valid > 0 && counts.invalid > 0, JSON.stringify(counts));
});

test("the library makes the same keys and signatures as WebCrypto", async () => {
  const seed = new Uint8Array(32).fill(7);
  const [one, other] = [await noble.ofSeed(seed), await webCrypto.ofSeed(seed)];
  const message = new TextEncoder().encode("text");
  assert.deepEqual(one.publicKey, other.publicKey);
  assert.deepEqual(await one.sign(message), await other.sign(message));
  const made = await noble.generate();
  assert.ok(await isValid(made.publicKey, message, await made.sign(message)));
});
