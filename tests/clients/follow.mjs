// Follow what alice does, through whatever happens to the node, until she has been paid.
import { Chain } from "../../clients/typescript/dist/index.js";

const { address, alice, bank } = JSON.parse(process.argv[2]);
const chain = await Chain.connect(address);
const cursors = [];
for await (const happening of chain.follow({ after: "0.0", account: alice })) {
  cursors.push(happening.cursor);
  if (cursors.length === 3) console.log("following");
  if (happening.sender !== alice && happening.sender !== bank) break;
}

// From now on, until told to stop.
const stopping = new AbortController();
const later = chain.follow({ signal: stopping.signal });
const next = later.next();
stopping.abort();
console.log(JSON.stringify({ cursors, stopped: (await next).done }));
