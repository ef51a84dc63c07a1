// A buyer in JavaScript: takes `a` out of its envelope, judges the package, prints what it bought.
//
// Reads from standard input {order, sealed, b, chunks} and either {grant_hash, buyer_secret,
// envelope} or {a}; bytes are hex, chunks base64. Prints {verdict, rows}.
import { text } from "node:stream/consumers";
import { H, judge, openEnvelope } from "./data_formats.mjs";

const hex = (written) => Buffer.from(written, "hex");
const told = JSON.parse(await text(process.stdin));
const { order, sealed } = told;

/** The half that the seller sent, bound to what stands on the ledger. */
function taken() {
  const parts = [sealed.package_root, sealed.a_commit, sealed.b_lock];
  const info = H("envelope", ...[order.id, told.grant_hash, ...parts].map(hex));
  return openEnvelope(hex(told.buyer_secret), hex(told.envelope), info);
}

const a = told.a === undefined ? taken() : hex(told.a);
const chunks = told.chunks.map((chunk) => Buffer.from(chunk, "base64"));
const { verdict, batches = [] } = judge(order, sealed, a, hex(told.b), chunks);
const places = order.fields.map((field) => [field, 1 + order.schema_fields.indexOf(field)]);
const rows = batches.flatMap((batch) =>
  batch.rows.map((row) => Object.fromEntries(places.map(([name, at]) => [name, row[at][1]]))),
);
console.log(JSON.stringify({ verdict, rows }));
