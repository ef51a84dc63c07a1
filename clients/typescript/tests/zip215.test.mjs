// Votes are judged by ZIP-215, which takes more than the ledger's own rule.
import assert from "node:assert/strict";
import { test } from "node:test";

import { bytesOfHex, utf8 } from "../dist/bytes.js";
import { isValid } from "../dist/ed25519.js";
import { isValidVote } from "../dist/zip215.js";
import { lacksVectors, vectors } from "./golden.mjs";

const world = { skip: lacksVectors };
const SPECCHECK = [...Array(6).fill(true), ...Array(3).fill(false), ...Array(3).fill(true)];
// One of Wycheproof's cases has the neutral point as R, in a spelling that ZIP-215 takes.
const SECOND_NEUTRAL = 151;
const FF = "ff".repeat(30);
// The 8 points of small order in all their 14 spellings.
const SMALL = [
  `01${"00".repeat(31)}`,
  `ec${FF}7f`,
  `${"00".repeat(31)}80`,
  "00".repeat(32),
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  `01${"00".repeat(30)}80`,
  `ec${FF}ff`,
  `ee${FF}7f`,
  `ee${FF}ff`,
  `ed${FF}7f`,
  `ed${FF}ff`,
];

test("speccheck cases are taken as ZIP-215 says", world, async () => {
  const cases = vectors("ed25519/cases.json");
  const found = await Promise.all(
    cases.map((one) => isValidVote(...[one.pub_key, one.message, one.signature].map(bytesOfHex))),
  );
  assert.deepEqual(found, SPECCHECK);
});

test("every spelling of a small point is a key and an R, and none is for the ledger", async () => {
  const message = utf8("Zcash");
  for (const key of SMALL) {
    for (const r of SMALL) {
      const [publicKey, signature] = [bytesOfHex(key), bytesOfHex(r + "00".repeat(32))];
      assert.ok(await isValidVote(publicKey, message, signature), `${key} ${r}`);
      assert.ok(!(await isValid(publicKey, message, signature)), `${key} ${r}`);
    }
  }
});

test("Wycheproof's cases are judged as published", world, async () => {
  for (const { publicKey, tests } of vectors("ed25519/ed25519_test.json").testGroups) {
    for (const { msg, sig, result, tcId } of tests) {
      const expected = result === "valid" || tcId === SECOND_NEUTRAL;
      const found = await isValidVote(...[publicKey.pk, msg, sig].map(bytesOfHex));
      assert.equal(found, expected, `case ${tcId}`);
    }
  }
});
