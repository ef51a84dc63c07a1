// Join audit bundles with the first of them, one after the other: 0 or the number.
import { readFileSync } from "node:fs";

import {
  checkJoined,
  VerificationError,
  verifyBundle,
} from "../../clients/typescript/dist/index.js";

const { files, trust, at } = JSON.parse(process.argv[2]);
const judged = [];
for (const file of files) {
  judged.push(await verifyBundle(new Uint8Array(readFileSync(file)), trust, { at }));
}
const found = judged.map((later) => {
  try {
    checkJoined(judged[0], later);
    return 0;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return error.number;
  }
});
console.log(JSON.stringify(found));
