// Open and judge a package of data, with nothing but Node.js: docs/data-formats.md in JavaScript.
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from "node:crypto";

const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** A number as 4 bytes, big-endian. */
const four = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

const hex = (text) => Buffer.from(text, "hex");

/** H(tag, parts) of the page. */
export const H = (tag, ...parts) =>
  sha256(`tongbao/data/${tag}/1\0`, ...parts.flatMap((part) => [four(part.length), part]));

/** The root of RFC 6962, section 2.1. */
export function root(leaves) {
  if (leaves.length === 0) return sha256("");
  let level = leaves.map((leaf) => sha256("\0", leaf));
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      above.push(sha256("\x01", level[at], level[at + 1]));
    }
    if (level.length % 2) above.push(level.at(-1));
    level = above;
  }
  return level[0];
}

/** RFC 8785 of what stands in packages: flat objects with ASCII names, arrays, texts, integers. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** By which an order names its request; `request` is the parsed text. */
export const requestHash = (request) => H("request", Buffer.from(canonical(request)));

/** By which a seal names its receipt, given the receipt's bytes as they came. */
export const grantHash = (receipt) => H("grant", receipt);

/** By which a claim names its evidence. */
export const evidenceHash = (order, a, packageRoot) => H("evidence", order, a, packageRoot);

const cellHash = (name, [salt, value]) =>
  H("cell", Buffer.from(name), hex(salt), Buffer.from(canonical(value)));

const CHUNK = 65_536;

/** The text that chunks hold; throws where they do not open. */
export function openChunks(key, context, chunks) {
  const count = chunks.length;
  if (count < 1 || count > 65_536 || count & (count - 1)) throw new Error("no power of two");
  const plain = chunks.map((chunk, index) => {
    if (chunk.length !== CHUNK + 16) throw new Error(`chunk ${index} is of another size`);
    const nonce = Buffer.concat([Buffer.alloc(8), four(index)]);
    const cipher = createDecipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(Buffer.concat([context, four(index), four(count)]));
    cipher.setAuthTag(chunk.subarray(CHUNK));
    return Buffer.concat([cipher.update(chunk.subarray(0, CHUNK)), cipher.final()]);
  });
  const all = Buffer.concat(plain);
  const length = all.readBigUInt64BE();
  if (length > BigInt(all.length - 8)) throw new Error("longer than its package");
  const end = 8 + Number(length);
  if (all.subarray(end).some((byte) => byte !== 0)) throw new Error("padding is not zero");
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(all.subarray(8, end));
}

const HEADER = {
  count: (value) => Number.isInteger(value) && value >= 0 && value <= 10_000,
  period: (value) => /^[0-9]{4}-(0[1-9]|1[0-2])$/.test(value),
  root: (value) => /^[0-9a-f]{64}$/.test(value),
  salt: (value) => /^[0-9a-f]{32}$/.test(value),
  schema: (value) => /^[a-z][a-z0-9_]{0,31}[.][1-9][0-9]{0,2}$/.test(value),
  source: (value) => /^[0-9a-f]{40}$/.test(value),
  subject: (value) => /^[0-9a-f]{64}$/.test(value),
};

const isHeader = (header) =>
  Object.keys(header).sort().join() === Object.keys(HEADER).join() &&
  Object.entries(HEADER).every(
    ([name, holds]) =>
      typeof header[name] === (name === "count" ? "number" : "string") && holds(header[name]),
  );

const isValue = (value) =>
  typeof value === "boolean" ||
  Number.isSafeInteger(value) ||
  (typeof value === "string" && value.isWellFormed() && [...value].length <= 256);

const isCell = (cell) =>
  typeof cell === "string"
    ? /^[0-9a-f]{64}$/.test(cell)
    : Array.isArray(cell) &&
      cell.length === 2 &&
      typeof cell[0] === "string" &&
      /^[0-9a-f]{32}$/.test(cell[0]) &&
      isValue(cell[1]);

const isRow = (row) => Array.isArray(row) && row.length <= 65 && row.every(isCell);

/** The text in its one form: what is read must come out as it was. */
function written(batches) {
  const ends = batches.map(({ header, rows }) => {
    const lines = rows.map((row, at) => canonical(row) + (at < rows.length - 1 ? ",\n" : "\n"));
    return `{"header":${canonical(header)},"rows":[\n${lines.join("")}]}`;
  });
  return `[\n${ends.join(",\n")}${ends.length ? "\n" : ""}]`;
}

/** The batches of a text; throws where it is not of the one form. */
export function readText(text) {
  const batches = JSON.parse(text);
  const right =
    Array.isArray(batches) &&
    batches.every(
      (batch) =>
        Object.keys(batch).sort().join() === "header,rows" &&
        isHeader(batch.header) &&
        Array.isArray(batch.rows) &&
        batch.rows.every(isRow),
    );
  if (!right || written(batches) !== text) throw new Error("not in the one form");
  if (text.split("\n").some((line) => Buffer.byteLength(line) > 131_072)) {
    throw new Error("a line is too long");
  }
  return batches;
}

function judgeBatch(order, ordered, batch) {
  if (batch === undefined) return "ROWS_ARE_MISSING";
  const { header, rows } = batch;
  const commitment = H("batch", Buffer.from(canonical(header)));
  const known = { ...ordered, schema: order.schema };
  const isOf = ["source", "subject", "schema", "period"].every((it) => header[it] === known[it]);
  if (!commitment.equals(hex(ordered.commitment)) || !isOf) return "HEADER_IS_NOT_COMMITTED";
  if (rows.length < header.count) return "ROWS_ARE_MISSING";
  const names = ["event", ...order.schema_fields];
  const granted = order.fields.map((field) => 1 + order.schema_fields.indexOf(field));
  if (rows.some((row) => granted.some((place) => !Array.isArray(row[place])))) {
    return "GRANTED_CELL_IS_HIDDEN";
  }
  if (rows.length > header.count || rows.some((row) => row.length !== names.length)) {
    return "ROW_IS_NOT_COMMITTED";
  }
  const hashOf = (cell, place) =>
    Array.isArray(cell) ? cellHash(names[place], cell) : hex(cell);
  const leaves = rows.map((row, number) => H("row", four(number), ...row.map(hashOf)));
  return root(leaves).equals(hex(header.root)) ? undefined : "ROW_IS_NOT_COMMITTED";
}

/** The verdict, and with OK the batches. `sealed`, `b` and `order` are of the ledger. */
export function judge(order, sealed, a, b, chunks) {
  const id = hex(order.id);
  const leaves = chunks.map((chunk, index) => H("chunk", four(index), chunk));
  const committed =
    a.length === 32 &&
    H("a", id, a).equals(hex(sealed.a_commit)) &&
    H("b", id, b).equals(hex(sealed.b_lock)) &&
    chunks.length === sealed.chunk_count &&
    root(leaves).equals(hex(sealed.package_root));
  if (!committed) return { verdict: "EVIDENCE_IS_NOT_COMMITTED" };
  const halves = Buffer.concat([a, b]);
  const key = Buffer.from(hkdfSync("sha256", halves, id, "tongbao/data/package/1", 32));
  let batches;
  try {
    batches = readText(openChunks(key, id, chunks));
  } catch {
    return { verdict: "PACKAGE_DOES_NOT_OPEN" };
  }
  for (const [place, ordered] of order.batches.entries()) {
    const fault = judgeBatch(order, ordered, batches[place]);
    if (fault !== undefined) return { verdict: fault };
  }
  return { verdict: "OK", batches: batches.slice(0, order.batches.length) };
}

const KEM = Buffer.from("KEM\0\x20", "latin1");
const SUITE = Buffer.from("HPKE\0\x20\0\x01\0\x02", "latin1");
const hmac = (key, ...parts) => {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};
const extract = (suite, salt, label, material) =>
  hmac(salt.length ? salt : Buffer.alloc(32), "HPKE-v1", suite, label, material);
const expand = (suite, key, label, info, length) => {
  const size = four(length).subarray(2);
  return hmac(key, size, "HPKE-v1", suite, label, info, "\x01").subarray(0, length);
};

/** What an envelope brings (RFC 9180, base mode); throws for another key or another info. */
export function openEnvelope(secret, envelope, info) {
  const none = Buffer.alloc(0);
  const encapsulated = envelope.subarray(0, 32);
  const prefix = hex("302e020100300506032b656e04220420"); // RFC 8410: an X25519 key follows
  const der = Buffer.concat([prefix, secret]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const x = encapsulated.toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  const own = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
  const exchanged = extract(KEM, none, "eae_prk", diffieHellman({ privateKey, publicKey }));
  const context = Buffer.concat([encapsulated, own]);
  const shared = expand(KEM, exchanged, "shared_secret", context, 32);
  const id = extract(SUITE, none, "psk_id_hash", none);
  const schedule = Buffer.concat([Buffer.alloc(1), id, extract(SUITE, none, "info_hash", info)]);
  const key = extract(SUITE, shared, "secret", none);
  const nonce = expand(SUITE, key, "base_nonce", schedule, 12);
  const cipher = createDecipheriv("aes-256-gcm", expand(SUITE, key, "key", schedule, 32), nonce);
  cipher.setAuthTag(envelope.subarray(-16));
  return Buffer.concat([cipher.update(envelope.subarray(32, -16)), cipher.final()]);
}
