// `node data_buyer.mjs DIST` reads what to make or judge as JSON, and tells it as JSON.
import { pathToFileURL } from "node:url";
import { text } from "node:stream/consumers";

const dist = pathToFileURL(`${process.argv[2]}/`).href;
const load = (name) => import(`${dist}${name}.js`);
const { judge } = await load("judge");
const { receiptOf } = await load("receipt");
const { sealEvidence } = await load("parcel");
const { signedRequest } = await load("http");
const { signerOf } = await load("keys");
const { exchangeKeyOf } = await load("exchange_key");
const { H, jcs } = await load("hashes");

const hex = (told) => Uint8Array.from(Buffer.from(told, "hex"));
const base64 = (told) => Uint8Array.from(Buffer.from(told, "base64"));
const string = (bytes) => Buffer.from(bytes).toString();

async function verdictOf({ order, sealed, a, b, chunks }) {
  const ordered = {
    id: hex(order.id),
    schema: order.schema,
    schemaFields: order.schema_fields,
    fields: order.fields,
    batches: order.batches,
    chunks: sealed.chunk_count,
    packageRoot: sealed.package_root,
    aCommit: sealed.a_commit,
    bLock: sealed.b_lock,
  };
  return (await judge(ordered, hex(a), hex(b), chunks.map(base64))).verdict;
}

async function receiptFor({ facts, created }) {
  const requestHash = Buffer.from(await H("request", jcs(facts.request))).toString("hex");
  return string(await receiptOf({ ...facts, requestHash }, created));
}

async function evidenceOf({ order, a, chunks, reader }) {
  const parcel = await sealEvidence(hex(order), hex(a), chunks.map(base64), hex(reader));
  return Buffer.from(parcel).toString("base64");
}

async function requestOf({ jwk, account, method, url, body }) {
  return signedRequest(await signerOf(jwk), account ?? undefined, method, url, base64(body));
}

/** The key of a statement, or why there is none, where the ledger has one account. */
async function keyOf({ statement, account, chain, now, shown }) {
  const ledger = { chain, now: async () => now, one: async () => shown };
  try {
    return Buffer.from(await exchangeKeyOf(ledger, account, statement)).toString("hex");
  } catch (error) {
    return `refused: ${error.message}`;
  }
}

const doing = { verdictOf, receiptFor, evidenceOf, requestOf, keyOf };
const found = [];
for (const [what, given] of JSON.parse(await text(process.stdin))) {
  found.push(await doing[what](given));
}
console.log(JSON.stringify(found));
