/** The key at which an account can be written to: docs/data-services.md, "A key to write to". */

import { type Bytes, ofHex, same } from "./bytes.js";
import { jcs } from "./hashes.js";
import { readSigned } from "./keys.js";
import type { Ledger } from "./ledger.js";

interface Account {
  readonly keys: readonly { readonly key: { readonly public: string }; readonly weight: number }[];
  readonly ordinary: number;
}

/** The X25519 key of a statement, which a key of the account has to have signed. */
export async function exchangeKeyOf(
  ledger: Ledger,
  account: string,
  statement: string,
): Promise<Bytes> {
  const { kid, payload } = await readSigned(statement, "tongbao-exchange-key+jws");
  const told = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
  const { chain, ends, key, ...more } = told;
  const isRight =
    same(jcs(told), payload) &&
    Object.keys(more).join() === "account" &&
    told["account"] === account &&
    chain === ledger.chain &&
    typeof ends === "number" &&
    ends > (await ledger.now());
  if (!isRight) throw new Error("this key is not to write to this account now");
  const shown = await ledger.one<Account>("account/show", { address: account });
  const signs = shown?.keys.some((one) => one.key.public === kid && one.weight >= shown.ordinary);
  if (!signs) throw new Error("who signed this key does not sign for the account");
  return ofHex(key, 32);
}
