// Pay through a connection that loses answers after the node has had the request.
import { Chain, keyOfSeed, Unreachable } from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const { asset, alice, shop } = told;
const key = await keyOfSeed(told.seed);
const pay = (amount) => ({ "@type": "asset.transfer", asset, amount, payee: shop });

/** A fetch that loses the answers which `loses` says, given the method and how many came before. */
const losing = (loses) => {
  let count = 0;
  return async (url, request) => {
    const answer = await fetch(url, request);
    count += 1;
    if (!loses(request.method, count)) return answer;
    await answer.arrayBuffer();
    throw new TypeError("the connection broke before the answer");
  };
};
const wait = async () => undefined;

const flaky = await Chain.connect(told.address, { fetch: losing((_, n) => n % 2 === 1), wait });
const wallet = flaky.wallet(alice, key);
const ids = new Set();
for (let count = 0; count < 10; count += 1) ids.add((await wallet.send(pay("1.00"))).id);
const one = (await flaky.balance(shop, asset)).amount;

let isLost = false;
const loses = (method) => method === "POST" && !isLost && (isLost = true);
const once = await Chain.connect(told.address, { fetch: losing(loses), wait });
const other = once.wallet(alice, key);
const amounts = [...Array(19).fill("1.00"), "999.00"];
const built = [];
for (const amount of amounts) built.push(await other.build([pay(amount)]));
const many = await once.submitMany(built);

const pauses = [];
const gone = await Chain.connect("http://127.0.0.1:9", {
  wait: async (ms) => void pauses.push(ms),
}).catch((error) => error);

console.log(
  JSON.stringify({
    ids: ids.size,
    one,
    many: many.map((found) => found.number ?? found.receipt.outcome),
    all: (await once.balance(shop, asset)).amount,
    gone: gone instanceof Unreachable,
    pauses,
  }),
);
