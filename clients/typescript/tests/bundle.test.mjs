// Audit bundles: what the golden ones prove, and that nothing altered passes for one.
import assert from "node:assert/strict";
import { test } from "node:test";

import { VerificationError, verifyBundle } from "../dist/index.js";
import { golden } from "./golden.mjs";

const bundles = golden("bundle");
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));
const finds = (finding) => (error) =>
  error instanceof VerificationError && error.finding === finding;

for (const [engine, { at, trust, middle, partly }] of Object.entries(bundles)) {
  const trusted = JSON.stringify(trust);

  test(`a bundle of ${engine} is proven`, async () => {
    const found = await verifyBundle(bytesOf(middle), trusted, { at });
    assert.equal(found.engine, engine);
    assert.equal(found.unproven, 0);
    const { movements, since, closing, holding } = found.statement;
    assert.equal(found.proven, movements.length + since.length);
    assert.equal(movements.at(-1).balance, closing);
    assert.equal(since.at(-1).balance, holding);
  });

  test(`a bundle of ${engine} with a byte flipped anywhere is refused`, async () => {
    const bytes = bytesOf(middle);
    for (let place = 0; place < bytes.length; place += 131) {
      const flipped = Uint8Array.from(bytes);
      flipped[place] ^= 1 << place % 8;
      await assert.rejects(verifyBundle(flipped, trusted, { at }), VerificationError);
    }
  });

  test(`due work of ${engine} is proven, or said not to be`, async () => {
    const bytes = bytesOf(partly);
    if (engine === "solo") {
      assert.equal((await verifyBundle(bytes, trusted, { at })).unproven, 0);
      return;
    }
    await assert.rejects(verifyBundle(bytes, trusted, { at }), finds("MOVEMENT_IS_NOT_PROVEN"));
    assert.equal((await verifyBundle(bytes, trusted, { at, partly: true })).unproven, 1);
  });
}

test("a bundle of one engine is none for the trust file of the other", async () => {
  const { solo, cometbft } = bundles;
  const trust = JSON.stringify(cometbft.trust);
  await assert.rejects(verifyBundle(bytesOf(solo.middle), trust), finds("ENGINE_IS_ANOTHER"));
});
