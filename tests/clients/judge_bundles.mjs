// Judge audit bundles of a file, one after the other, each behind its length: 0 or the number.
import { readFileSync } from "node:fs";

import { VerificationError, verifyBundle } from "../../clients/typescript/dist/index.js";

const { file, trust, at, partly } = JSON.parse(process.argv[2]);
const bytes = new Uint8Array(readFileSync(file));
const view = new DataView(bytes.buffer);
const found = [];
for (let place = 0; place < bytes.length; ) {
  const begin = place + 4;
  place = begin + view.getUint32(place, true);
  try {
    const { proven, unproven } = await verifyBundle(bytes.subarray(begin, place), trust, {
      at,
      partly,
    });
    found.push([0, proven, unproven]);
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    found.push([error.number, 0, 0]);
  }
}
console.log(JSON.stringify(found));
