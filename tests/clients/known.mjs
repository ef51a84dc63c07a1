// Read what is one's own in a session, follow it, and be refused what is another's. Prints JSON.
import { Chain, keyOfSeed } from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const { address, alice, shop } = told;
const signer = await keyOfSeed(told.seed);

/** What became of something that should not go well. */
const why = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return [error.name, error.problem?.status ?? 0];
  }
};

const chain = await Chain.connect(address, { session: { account: alice, signer } });
const balance = await chain.balance(alice, told.asset);
let followed = "";
for await (const happening of chain.follow({ after: "0.0", account: alice })) {
  followed = happening.cursor;
  break;
}
console.log(
  JSON.stringify({
    balance: balance.amount,
    followed,
    others: await why(chain.balance(shop, told.asset)),
    nobody: await why(Chain.connect(address)),
    wrong: await why(Chain.connect(address, { session: { account: shop, signer } })),
  }),
);
