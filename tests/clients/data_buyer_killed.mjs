// `node data_buyer_killed.mjs DIST WANTED KEY FOLDER DIED`: the buyer, which kills itself after the
// first effect (a record, or an answer to what it has sent) that DIED does not list, and lists it.
import { appendFileSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [dist, wantedPath, keyPath, folder, died] = process.argv.slice(2);
const load = (name) => import(`${pathToFileURL(`${dist}/`).href}${name}.js`);
const { Journal } = await load("journal");
const { signerInFile } = await load("keys");
const { Ledger } = await load("ledger");
const { Purchase } = await load("purchase");

const before = new Set(readFileSync(died, "utf8").split("\n"));

/** End as `kill -9` does, unless it was so after this effect before. */
function dieOnce(effect) {
  if (before.has(effect)) return;
  appendFileSync(died, `${effect}\n`);
  process.kill(process.pid, "SIGKILL");
}

class MortalJournal extends Journal {
  async put(name, record) {
    await super.put(name, record);
    dieOnce(`kept ${name}`);
  }
}

const answered = globalThis.fetch;
let sent = 0;
globalThis.fetch = async (url, options) => {
  const answer = await answered(url, options);
  if (options?.method === "POST") {
    sent += 1;
    dieOnce(`sent ${sent}`);
  }
  return answer;
};

const { node, ...wanted } = JSON.parse(readFileSync(wantedPath, "utf8"));
const signer = await signerInFile(keyPath);
const journal = new MortalJournal(folder);
const ledger = await Ledger.meet(node, wanted.buyer, signer, journal);
const purchase = new Purchase(wanted, ledger, signer, journal, () => undefined);
console.log(JSON.stringify(await purchase.run()));
