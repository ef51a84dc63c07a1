// Proofs: what the golden ones prove, and that nothing else passes for one.
import assert from "node:assert/strict";
import { test } from "node:test";

import { readHeader, VerificationError, verify } from "../dist/index.js";
import { golden, spoiled } from "./golden.mjs";

const solo = golden("solo");
const trust = JSON.stringify(solo.trust);
const proofs = ["holding", "absence", "transaction"];

const proven = (name) => verify(JSON.stringify(solo[name]), trust);

test("a holding is proven", async () => {
  assert.deepEqual(await proven("holding"), {
    chain: solo.trust.chain,
    height: 2,
    time: 1_790_000_002_000,
    kind: "row",
    name: "asset.holdings",
    key: solo.holding.key.map((part) => part.id ?? part.text),
    value: { "@version": 1, amount: "12.50" },
    transactionId: null,
    receipt: null,
  });
});

test("an absence is proven", async () => {
  assert.equal((await proven("absence")).value, null);
});

test("a transaction is proven with its receipt", async () => {
  const found = await proven("transaction");
  assert.equal(found.value.messages[0].amount, "12.50");
  assert.deepEqual(found.receipt, solo.transaction.receipt);
  assert.match(found.transactionId, /^[0-9a-f]{64}$/);
});

test("a proof in another spelling, as bytes, is the same proof", async () => {
  for (const name of proofs) {
    const members = Object.entries(solo[name]).reverse();
    const spaced = new TextEncoder().encode(JSON.stringify(Object.fromEntries(members), null, 3));
    assert.deepEqual(await verify(spaced, trust), await proven(name));
  }
});

test("every proof with any one member changed, left out or added is refused", async () => {
  let tried = 0;
  for (const name of proofs) {
    for (const [where, changed] of spoiled(solo[name])) {
      tried += 1;
      await assert.rejects(verify(JSON.stringify(changed), trust), VerificationError, where);
    }
  }
  assert.ok(tried > 500, `${tried}`);
});

test("a trust file with any one member changed, left out or added trusts nobody here", async () => {
  const proof = JSON.stringify(solo.holding);
  for (const [where, changed] of spoiled(solo.trust)) {
    if (where === ".keys[+]") continue; // one more, the same: still trusted
    await assert.rejects(verify(proof, JSON.stringify(changed)), VerificationError, where);
  }
});

const lies = [
  ["value", { "@version": 1, amount: "99.50" }, "ROW_IS_NOT_PROVEN", 7],
  ["value", null, "ROW_IS_NOT_PROVEN", 7],
  ["module", 1, "ROW_IS_NOT_PROVEN", 7],
  ["module", -1, "PROOF_IS_UNREADABLE", 1],
  ["key", [], "PROOF_IS_UNREADABLE", 1],
  ["key", solo.absence.key, "ROW_IS_NOT_PROVEN", 7],
  ["name", "asset.debts", "NAME_IS_WRONG", 9],
  ["engine", "cometbft", "ENGINE_IS_ANOTHER", 3],
  ["format", 2, "PROOF_IS_UNREADABLE", 1],
  ["kind", "wish", "PROOF_IS_UNREADABLE", 1],
  ["header", "a.b.c", "HEADER_IS_WRONG", 4],
  ["state", "00".repeat(32), "PROOF_IS_UNREADABLE", 1],
  ["block", "CgA", "PROOF_IS_UNREADABLE", 1],
  ["blocks", ["CgA"], "PROOF_IS_UNREADABLE", 1],
];

for (const [member, value, finding, number] of lies) {
  test(`a row proof whose ${member} is ${JSON.stringify(value)}: ${finding}`, async () => {
    const changed = JSON.stringify({ ...solo.holding, [member]: value });
    await assert.rejects(verify(changed, trust), { name: "VerificationError", finding, number });
  });
}

test("an absence can not be claimed for a row that is there", async () => {
  const { value, ...hidden } = solo.holding;
  const moved = { ...solo.absence, key: solo.holding.key };
  for (const lie of [hidden, moved]) {
    await assert.rejects(verify(JSON.stringify(lie), trust), { finding: "ROW_IS_NOT_PROVEN" });
  }
});

test("a signer, or a chain, that is not trusted proves nothing", async () => {
  const proof = JSON.stringify(solo.holding);
  const others = { ...solo.trust, keys: ["1b9KP8znF7A4i8wnSevBSK2ZabI_Re4bYF_Vh3hXasQ"] };
  const chain = { ...solo.trust, chain: "other-01234567" };
  await assert.rejects(verify(proof, JSON.stringify(others)), { finding: "SIGNER_IS_NOT_TRUSTED" });
  await assert.rejects(verify(proof, JSON.stringify(chain)), { finding: "CHAIN_IS_ANOTHER" });
});

const junk = ["", "{}", "[]", "null", "[".repeat(100_000), '{"kind":"row"}', "{".repeat(50)];

for (const text of [...junk, Uint8Array.of(0xff, 0xfe), new Uint8Array(8_388_609)]) {
  test(`junk is neither proof nor trust: ${text.slice(0, 20)}`, async () => {
    await assert.rejects(verify(text, trust), { finding: "PROOF_IS_UNREADABLE" });
    await assert.rejects(verify(JSON.stringify(solo.holding), text), {
      finding: "TRUST_IS_UNREADABLE",
    });
  });
}

test("a cut or flipped byte is found out, or changes nothing", async () => {
  const whole = await proven("holding");
  const bytes = new TextEncoder().encode(JSON.stringify(solo.holding));
  for (let at = 0; at < bytes.length; at += 7) {
    const flipped = Uint8Array.from(bytes);
    flipped[at] ^= 1 << at % 7;
    for (const attempt of [bytes.slice(0, at), flipped]) {
      await verify(attempt, trust).then(
        (found) => assert.deepEqual(found, whole),
        (error) => assert.ok(error instanceof VerificationError, String(error)),
      );
    }
  }
});

test("golden headers are read, and their hashes chain them", async () => {
  const found = await Promise.all(solo.headers.map(readHeader));
  assert.deepEqual(
    found.map(({ header, signer }) => [header.height, signer]),
    [0, 1, 2].map((height) => [height, solo.trust.keys[0]]),
  );
  assert.deepEqual(
    found.slice(1).map(({ header }) => header.previous),
    solo.header_hashes.slice(0, 2),
  );
});

test("a transaction, or a header with a changed character, is no header", async () => {
  const header = solo.headers[0];
  const wrong = [0, 40, 200, header.length - 1].map((at) => {
    const letter = header[at] === "A" ? "B" : "A";
    return header.slice(0, at) + letter + header.slice(at + 1);
  });
  for (const text of [...wrong, golden("transactions").compact]) {
    await assert.rejects(readHeader(text), Error);
  }
});
