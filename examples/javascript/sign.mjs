// Sign a transaction with nothing but a JOSE library and a JSON canonicalizer (RFC 8785).
//
// Reads {"payload": {...}, "keys": [private JWK, ...]} from standard input and prints the
// transaction: a compact JWS for one key, general JSON for several. The ledger takes either.
import { text } from "node:stream/consumers";
import canonicalize from "canonicalize";
import { CompactSign, GeneralSign, importJWK } from "jose";

const { payload, keys } = JSON.parse(await text(process.stdin));
const bytes = new TextEncoder().encode(canonicalize(payload));

// `kid` is the public key itself; `typ` keeps this signature from meaning anything elsewhere.
const header = (key) => ({ alg: "Ed25519", kid: key.x, typ: "tongbao-tx+jws" });

if (keys.length === 1) {
  const [key] = keys;
  const jws = new CompactSign(bytes).setProtectedHeader(header(key));
  console.log(await jws.sign(await importJWK(key, "Ed25519")));
} else {
  const jws = new GeneralSign(bytes);
  for (const key of keys) {
    jws.addSignature(await importJWK(key, "Ed25519")).setProtectedHeader(header(key));
  }
  console.log(JSON.stringify(await jws.sign()));
}
