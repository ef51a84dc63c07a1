// In a page: make a key, open an account for it, pay with it, and believe only proofs.
import {
  accountOf,
  base64urlOf,
  Chain,
  decidedBy,
  generateKey,
  keyOfSeed,
  Refused,
  verify,
  verifyBundle,
  VerificationError,
} from "@tongbao/client";

/** A key made by WebCrypto, as usual, or by the library that is there for browsers without. */
async function madeBy(maker) {
  if (maker === (await decidedBy())) return generateKey();
  const { noble } = await import("/dist/ed25519_noble.js");
  const { followsTheRule } = await import("/dist/ed25519.js");
  if (noble.name !== maker || !(await followsTheRule(noble))) throw new Error(`not ${maker}`);
  const { publicKey, sign } = await noble.generate();
  return { keyId: base64urlOf(publicKey), sign };
}

/** What a page does with a chain, and what it found. */
export async function story({ address, trust, seed, alice, shop, asset, maker }) {
  const chain = await Chain.connect(address);
  const sponsor = chain.wallet(alice, await keyOfSeed(seed));
  const key = await madeBy(maker);
  const opened = await sponsor.send(accountOf(key.keyId), { also: [key] });
  const [account] = opened.receipt.ids;
  const pay = (amount, payee) => ({ "@type": "asset.transfer", asset, amount, payee });
  const wallet = chain.wallet(account, key);

  const before = await chain.proven(trust, "asset.holdings", account, asset);
  await sponsor.send(pay("5.00", account));
  const paid = await wallet.send(pay("1.25", shop));
  const refused = await wallet.send(pay("99.00", shop)).catch((error) => error);
  const after = await chain.proven(trust, "asset.holdings", account, asset);

  const file = await chain.proveTransaction(paid.id);
  const proof = await verify(file, trust);
  const changed = file.replace('"index":0', '"index":1');
  const lie = await verify(changed, trust).catch((error) => error);

  const bundle = await chain.bundle(account, asset);
  const statement = await verifyBundle(bundle, trust);
  bundle[99] ^= 1;
  const altered = await verifyBundle(bundle, trust).catch((error) => error);

  const seen = [];
  for await (const happening of chain.follow({ after: "1.0", account })) {
    seen.push([happening.height, happening.number ?? 0]);
    if (seen.length === 4) break;
  }
  return {
    decided: await decidedBy(),
    loaded: loaded(),
    before: [before.value, before.key[0] === account],
    after: after.value.amount,
    refused: refused instanceof Refused && refused.number,
    proof: [proof.transactionId === paid.id, proof.value.sender === account],
    lie: lie instanceof VerificationError && changed !== file && lie.finding,
    bundle: [statement.proven, statement.statement.closing, altered.finding],
    seen,
  };
}

/** Whether the library was loaded: only when it is needed. */
function loaded() {
  return performance.getEntriesByType("resource").some(({ name }) => name.includes("@noble"));
}

globalThis.story = story;
