// Ask a node about transactions whose blocks were pruned there, and submit them again.
import { AlreadyDecided, Chain, Gone, Refused } from "../../clients/typescript/dist/index.js";

const told = JSON.parse(process.argv[2]);
const chain = await Chain.connect(told.address, { wait: async () => undefined });

/** The error that something throws. */
const errorOf = (promise) =>
  promise.then(
    () => undefined,
    (error) => error,
  );

const decided = await errorOf(chain.submit(told.wire));
const refused = await errorOf(chain.submit(told.refused));
const many = await chain.submitMany([told.wire, told.refused]);
const stream = chain.follow({ after: "0.0" });
const gone = await errorOf(stream.next());

console.log(
  JSON.stringify({
    decided: decided instanceof AlreadyDecided && [decided.transactionId, decided.blockHeight],
    refused: refused instanceof Refused && refused.number,
    many: many.map((found) => found.name),
    gone: gone instanceof Gone && gone.problem.status,
  }),
);
