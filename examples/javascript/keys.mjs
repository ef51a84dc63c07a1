// Make Ed25519 keys: `node keys.mjs 3` prints a JSON array of private JWKs (RFC 8037).
import { exportJWK, generateKeyPair } from "jose";

const count = Number(process.argv[2] ?? 1);
const keys = [];
for (let made = 0; made < count; made += 1) {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  keys.push(await exportJWK(privateKey));
}
console.log(JSON.stringify(keys));
