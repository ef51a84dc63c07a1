// Pay through a node that answers before the block is made: ask on, or give up and go on later.
import { Chain, keyOfSeed, Unreachable } from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const { asset, alice, shop } = told;
const key = await keyOfSeed(told.seed);
const pay = { "@type": "asset.transfer", asset, amount: "1.00", payee: shop };

let asked = 0;
const counting = (url, request) => {
  asked += 1;
  return fetch(url, request);
};
const hasty = await Chain.connect(told.address, { attempts: 2, fetch: counting });
const first = hasty.wallet(alice, key);
const built = [];
for (let count = 0; count < 3; count += 1) built.push(await first.build([pay]));
asked = 0;
const gaveUp = await hasty.submitMany(built);
const asked_of_many = asked;
const one = await hasty.submit(built[0]).catch((error) => error);

const patient = await Chain.connect(told.address);
const later = await patient.submitMany(built);
const sent = await patient.wallet(alice, key).send(pay);

console.log(
  JSON.stringify({
    gave_up: gaveUp.map((error, at) => [error.name, error.transaction === built[at]]),
    asked_of_many,
    one: one instanceof Unreachable && one.transaction === built[0],
    later: later.map((found) => found.receipt?.outcome ?? found.name),
    sent: sent.receipt.outcome,
    balance: (await patient.balance(shop, asset)).amount,
  }),
);
