// Proofs of a network: what the golden ones prove, and that nothing else passes for one.
import assert from "node:assert/strict";
import { test } from "node:test";

import { base64urlOf, bytesOfBase64url, VerificationError, verify } from "../dist/index.js";
import { golden, spoiled } from "./golden.mjs";

const network = golden("cometbft");
const { at } = network;
const trust = JSON.stringify(network.trust);
const later = JSON.stringify(network.trust_later);
const proofs = ["holding", "absence", "transaction", "refused", "moved"];
const DAY_MS = 86_400_000;
const AHEAD_MS = 900_000;

const proven = (name, by = trust, when = at) => verify(JSON.stringify(network[name]), by, {}, when);
const finds = (finding) => ({ name: "VerificationError", finding });

test("a holding is proven by votes, as of the block before the header", async () => {
  assert.deepEqual(await proven("holding"), {
    chain: network.trust.chain,
    height: 2,
    time: 1_790_000_001_000,
    kind: "row",
    name: "asset.holdings",
    key: network.holding.key.map((part) => part.id ?? part.text),
    value: { "@version": 1, amount: "12.50" },
    transactionId: null,
    receipt: null,
  });
});

test("an absence, and transactions with their receipts, are proven", async () => {
  assert.equal((await proven("absence")).value, null);
  const paid = await proven("transaction");
  assert.equal(paid.value.messages[0].amount, "12.50");
  assert.deepEqual(paid.receipt, network.transaction.receipt);
  assert.equal((await proven("refused")).receipt.outcome, "refused");
});

test("validators who changed are followed by the blocks between", async () => {
  assert.equal((await proven("moved")).value.amount, "20.00");
  const { blocks, ...alone } = network.moved;
  const text = JSON.stringify(alone);
  await assert.rejects(verify(text, trust, {}, at), finds("TRUST_IS_TOO_LITTLE"));
  assert.deepEqual(await verify(text, later, {}, at), await proven("moved"));
  assert.deepEqual(await proven("moved", later), await proven("moved"));
  await assert.rejects(proven("holding", later), finds("HEADER_IS_NOT_LATER"));
});

test("trust expires, a clock is asked, and what was archived is judged as of then", async () => {
  const end = network.trust.time + 14 * DAY_MS;
  await proven("holding", trust, end - 1);
  await assert.rejects(proven("holding", trust, end), finds("TRUST_IS_OLD"));
  await assert.rejects(
    proven("holding", trust, 1_790_000_002_000 - AHEAD_MS - 1),
    finds("HEADER_IS_AHEAD"),
  );
  const short = JSON.stringify({ ...network.trust, period_ms: 1 });
  await assert.rejects(verify(JSON.stringify(network.holding), short), finds("TRUST_IS_OLD"));
});

test("every proof with any one member changed is refused, but for votes nobody needs", async () => {
  const reached = {};
  for (const name of proofs) {
    const whole = await proven(name);
    for (const [where, changed] of spoiled(network[name])) {
      await verify(JSON.stringify(changed), trust, {}, at).then(
        (found) => {
          assert.deepEqual(found, whole, where);
          assert.match(where, /header|block/, where);
        },
        (error) => {
          assert.ok(error instanceof VerificationError, `${where}: ${error}`);
          reached[error.finding] = (reached[error.finding] ?? 0) + 1;
        },
      );
    }
  }
  for (const finding of ["PROOF_IS_UNREADABLE", "HEADER_IS_WRONG", "ROW_IS_NOT_PROVEN"]) {
    assert.ok(reached[finding] > 0, JSON.stringify(reached));
  }
});

test("any bit of a light block that is flipped is found out, or changes nothing", async () => {
  const whole = await proven("holding");
  const bytes = bytesOfBase64url(network.holding.header);
  const reached = {};
  for (let place = 0; place < bytes.length; place += 1) {
    const flipped = Uint8Array.from(bytes);
    flipped[place] ^= 1 << place % 8;
    const changed = { ...network.holding, header: base64urlOf(flipped) };
    await verify(JSON.stringify(changed), trust, {}, at).then(
      (found) => assert.deepEqual(found, whole),
      (error) => {
        assert.ok(error instanceof VerificationError, String(error));
        reached[error.finding] = (reached[error.finding] ?? 0) + 1;
      },
    );
  }
  const expected = [
    "HEADER_IS_WRONG",
    "BLOCK_IS_ANOTHER",
    "VALIDATORS_ARE_OTHERS",
    "VOTE_IS_WRONG",
  ];
  for (const finding of expected) assert.ok(reached[finding] > 0, JSON.stringify(reached));
});

const trustLies = [
  [{ chain: "other-01234567" }, "CHAIN_IS_ANOTHER"],
  [{ engine: "solo" }, "TRUST_IS_UNREADABLE"],
  [{ hash: "zz" }, "TRUST_IS_UNREADABLE"],
  [{ height: 3 }, "HEADER_IS_NOT_LATER"],
  [{ validators: [] }, "TRUST_IS_UNREADABLE"],
  [{ validators: [{ key: "A".repeat(43), power: 1 }] }, "TRUST_IS_TOO_LITTLE"],
  [{ height: 2, validators: network.trust.validators.slice(1) }, "VALIDATORS_ARE_OTHERS"],
  [
    { validators: [...network.trust.validators, network.trust.validators[0]] },
    "TRUST_IS_UNREADABLE",
  ],
  [{ period_ms: 0 }, "TRUST_IS_UNREADABLE"],
  [{ surprise: 1 }, "TRUST_IS_UNREADABLE"],
];

for (const [change, finding] of trustLies) {
  test(`a trust file with ${JSON.stringify(change).slice(0, 60)}: ${finding}`, async () => {
    const lie = JSON.stringify({ ...network.trust, ...change });
    await assert.rejects(proven("holding", lie), finds(finding));
  });
}

/** A file with one member replaced, wherever it stands. */
function changed(value, [step, ...rest], replacement) {
  if (step === undefined) return replacement;
  const inner = changed(value[step], rest, replacement);
  return Array.isArray(value) ? value.with(step, inner) : { ...value, [step]: inner };
}

for (const { file, path, value, finding } of network.lies) {
  const what = `${file}.${path.join(".")} is ${JSON.stringify(value).slice(0, 24)}`;
  test(`a lie, ${what}: ${finding}`, async () => {
    const lie = JSON.stringify(changed(network[file], path, value));
    const tried = file === "trust" ? proven("holding", lie) : verify(lie, trust, {}, at);
    await (finding === null ? tried : assert.rejects(tried, finds(finding)));
  });
}

test("a proof of one engine is none for the other", async () => {
  const solo = golden("solo");
  await assert.rejects(proven("holding", JSON.stringify(solo.trust)), finds("ENGINE_IS_ANOTHER"));
  await assert.rejects(verify(JSON.stringify(solo.holding), trust), finds("ENGINE_IS_ANOTHER"));
});
