// Pay when the answer to the first attempt is lost, and the second one comes too late.
import { Chain, keyOfSeed } from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
let attempts = 0;
const losing = async (url, request) => {
  const answer = await fetch(url, request);
  if (request.method !== "POST") return answer;
  attempts += 1;
  if (attempts > 1) return answer;
  await answer.arrayBuffer();
  throw new TypeError("the connection broke before the answer");
};
const chain = await Chain.connect(told.address, { fetch: losing });
const wallet = chain.wallet(told.alice, await keyOfSeed(told.seed));
const { asset, shop } = told;
const paid = await wallet.send({ "@type": "asset.transfer", asset, amount: "1.00", payee: shop });
console.log(JSON.stringify({ attempts, paid: [paid.height, paid.receipt.outcome] }));
