// Judge proof files and signatures of a file: 0 or the finding's number, and yes or no.
import { readFileSync } from "node:fs";

import { bytesOfHex } from "../../clients/typescript/dist/bytes.js";
import { followsTheRule, isValid } from "../../clients/typescript/dist/ed25519.js";
import { noble } from "../../clients/typescript/dist/ed25519_noble.js";
import { verify, VerificationError } from "../../clients/typescript/dist/index.js";

const { proofs, trust, signatures } = JSON.parse(readFileSync(JSON.parse(process.argv[2]), "utf8"));

const finding = async (proof) => {
  try {
    await verify(proof, trust);
    return 0;
  } catch (error) {
    if (error instanceof VerificationError) return error.number;
    throw error;
  }
};

const found = { proofs: [], signatures: [], disagreeing: 0, rule: await followsTheRule(noble) };
for (const proof of proofs) found.proofs.push(await finding(proof));
for (const hex of signatures) {
  const [key, message, signature] = hex.map(bytesOfHex);
  const valid = await isValid(key, message, signature);
  found.signatures.push(valid);
  // The library is asked as it is where WebCrypto lacks Ed25519: after the form was looked at.
  if (valid && !(await noble.holds(key, message, signature))) found.disagreeing += 1;
}
console.log(JSON.stringify(found));
