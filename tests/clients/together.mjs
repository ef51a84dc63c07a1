// An account of two keys: both sign at one place, or each at its own; and many payments at once.
import {
  Chain,
  combine,
  generateKey,
  keyOfSeed,
  readEnvelope,
  sign,
} from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const { asset, alice, shop } = told;
const pay = (amount, payee) => ({ "@type": "asset.transfer", asset, amount, payee });

const chain = await Chain.connect(told.address);
const wallet = chain.wallet(alice, await keyOfSeed(told.seed));
const [one, other] = [await generateKey(), await generateKey()];
const opened = await wallet.send(
  {
    "@type": "account.open",
    keys: [one, other].map((key) => ({ key: { algorithm: 1, public: key.keyId }, weight: 1 })),
    ordinary: 2,
    sensitive: 2,
    lanes: 1,
  },
  { also: [one, other], reference: "two-keys" },
);
const [account] = opened.receipt.ids;
await wallet.send(pay("3.00", account));

const both = chain.wallet(account, one, other);
const together = await both.send(pay("0.25", shop));
const { payload } = readEnvelope(await both.build([pay("0.75", shop)]));
const apart = await chain.submit(combine(await sign(payload, other), await sign(payload, one)));
const alone = await chain
  .wallet(account, one)
  .send(pay("1.00", shop))
  .catch((error) => [error.name, error.number]);

const amounts = Array(10).fill("1.00");
const sent = await Promise.all(amounts.map((amount) => wallet.send(pay(amount, shop))));

console.log(
  JSON.stringify({
    together: together.receipt.outcome,
    apart: apart.receipt.outcome,
    alone,
    at_once: new Set(sent.map((applied) => applied.id)).size,
    balance: (await chain.balance(shop, asset)).amount,
  }),
);
