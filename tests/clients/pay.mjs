// Pay, one and many, be refused, read back, and believe only proofs. Prints what it found as JSON.
import {
  Chain,
  generateKey,
  Invalid,
  keyOfSeed,
  payloadBytes,
  Refused,
  verify,
} from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const { asset, alice, bank, shop, trust } = told;
const key = await keyOfSeed(told.seed);
const pay = (amount) => ({ "@type": "asset.transfer", asset, amount, payee: shop });

/** What became of something that should not go well. */
const why = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Refused || error instanceof Invalid) return [error.name, error.number];
    throw error;
  }
};

const chain = await Chain.connect(told.address);
const wallet = chain.wallet(alice, key);
const paid = await wallet.send(pay("12.50"));
const built = [];
for (const amount of ["1.00", "2.00", "999.00", "3.00"]) {
  built.push(await wallet.build([pay(amount)]));
}
const many = await chain.submitMany([...built, "not a transaction"]);
const again = await chain.submit(built[0]);
const payload = payloadBytes({
  ...{ chain: chain.id, sender: alice, nonce: 99, expires: chain.now() + 60_000 },
  messages: [pay("999.00")],
});
const holdings = [];
for await (const { value } of chain.rows("asset", "held_by", { account: shop })) {
  holdings.push(value);
}
const [holding, absence] = [
  await chain.proven(trust, "asset.holdings", shop, asset),
  await chain.proven(trust, "asset.holdings", bank, asset),
];
const transaction = await verify(await chain.proveTransaction(paid.id), trust);

console.log(
  JSON.stringify({
    chain: chain.id,
    paid: [paid.height, paid.receipt.outcome],
    many: many.map((one) => ("receipt" in one ? one.receipt.outcome : [one.name, one.number])),
    again: again.id === many[0].id,
    refused: await why(wallet.send(pay("999.00"))),
    other_key: await why(chain.wallet(alice, await generateKey()).send(pay("1.00"))),
    dry_run: (await chain.dryRun(payload)).number,
    status: (await chain.status(paid.id)).state,
    never: (await chain.status("ab".repeat(32), 1)).never,
    balance: (await chain.balance(shop, asset)).amount,
    nothing: await chain.balance(bank, asset),
    row: await chain.row("asset.holdings", shop, asset),
    holdings,
    scale: (await chain.asset(asset)).scale,
    keys: (await chain.account(alice)).keys.map((one) => one.key.public === key.keyId),
    holding: [holding.name, holding.key, holding.value],
    absence: [absence.key, absence.value],
    transaction: [transaction.transactionId === paid.id, transaction.value.messages[0].amount],
    trust: (await chain.trust()) === trust,
  }),
);
