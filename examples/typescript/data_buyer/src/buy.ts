/**
 * `node dist/buy.js WANTED.json KEY.jwk FOLDER`: buy, print the rows, how many, and the verdict.
 * With `--delete` at the end: delete what was bought there, and say so to the ledger.
 */

import { readFile } from "node:fs/promises";
import { Journal } from "./journal.js";
import { signerInFile } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Purchase, type Wanted } from "./purchase.js";

const [wantedPath, keyPath, folder, verb = "--buy"] = process.argv.slice(2);
const isKnown = verb === "--buy" || verb === "--delete";
if (wantedPath === undefined || keyPath === undefined || folder === undefined || !isKnown) {
  console.error("usage: node dist/buy.js WANTED.json KEY.jwk FOLDER [--delete]");
  process.exit(64);
}

const told = JSON.parse(await readFile(wantedPath, "utf8")) as Wanted & { readonly node: string };
const { node, ...wanted } = told;
const signer = await signerInFile(keyPath);
const journal = new Journal(folder);
const ledger = await Ledger.meet(node, wanted.buyer, signer, journal);
const purchase = new Purchase(wanted, ledger, signer, journal, (line) => console.error(line));
if (verb === "--delete") {
  await purchase.forget();
  console.log("data_buyer: deleted");
  process.exit(0);
}
const { verdict, rows } = await purchase.run();
for (const row of rows) console.log(JSON.stringify(row));
console.log(`data_buyer: ${rows.length} rows, ${verdict}`);
process.exit(verdict === "OK" ? 0 : 65);
