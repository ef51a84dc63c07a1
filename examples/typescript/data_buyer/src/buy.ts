/** `node dist/buy.js WANTED.json KEY.jwk FOLDER`: buy, and print how many rows and the verdict. */

import { readFile } from "node:fs/promises";
import { Journal } from "./journal.js";
import { signerInFile } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Purchase, type Wanted } from "./purchase.js";

const [wantedPath, keyPath, folder] = process.argv.slice(2);
if (wantedPath === undefined || keyPath === undefined || folder === undefined) {
  console.error("usage: node dist/buy.js WANTED.json KEY.jwk FOLDER");
  process.exit(64);
}

const told = JSON.parse(await readFile(wantedPath, "utf8")) as Wanted & { readonly node: string };
const { node, ...wanted } = told;
const signer = await signerInFile(keyPath);
const journal = new Journal(folder);
const ledger = await Ledger.meet(node, wanted.buyer, signer, journal);
const purchase = new Purchase(wanted, ledger, signer, journal, (line) => console.error(line));
const { verdict, rows } = await purchase.run();
for (const row of rows) console.log(JSON.stringify(row));
console.log(`data_buyer: ${rows.length} rows, ${verdict}`);
process.exit(verdict === "OK" ? 0 : 65);
