/** What the compiler takes and refuses of programs that use the package; it is never run. */

import { type AssetTransfer, Chain, keyOfJwk, otherMessage, Refused, WHY } from "@tongbao/client";

const [asset, payee] = ["CNY.aa", "bb"];
const pay: AssetTransfer = { "@type": "asset.transfer", asset, amount: "12.50", payee };

/** A program as the README has it. */
export async function program(jwk: JsonWebKey, address: string, trust: string): Promise<void> {
  const chain = await Chain.connect("http://127.0.0.1:8632");
  const wallet = chain.wallet(address, await keyOfJwk(jwk));
  try {
    const paid = await wallet.send({ "@type": "asset.transfer", asset, amount: "1.00", payee });
    await wallet.sendAll([pay, otherMessage("diary.write", { text_hash: "ab" })]);
    const { ids = [] }: { readonly ids?: readonly string[] } = paid.receipt;
    const proven = await chain.proven(trust, "asset.holdings", address, asset);
    console.log(ids.length, proven.value, (await chain.balance(address, asset))?.amount);
  } catch (error) {
    if (!(error instanceof Refused && error.number === WHY.asset.BALANCE_IS_TOO_LOW)) throw error;
  }
  for await (const { cursor, messages = [] } of chain.follow({ account: address })) {
    console.log(cursor, messages.length);
  }
  // @ts-expect-error: an amount is text
  await wallet.send({ "@type": "asset.transfer", asset, amount: 1, payee });
  // @ts-expect-error: there is no such member
  await wallet.send({ "@type": "asset.transfer", asset, amount: "1.00", payee, memo: "hello" });
  // @ts-expect-error: a member is missing
  await wallet.send({ "@type": "hold.capture" });
  // @ts-expect-error: messages of other modules are made by otherMessage
  await wallet.send({ "@type": "diary.write", text_hash: "ab" });
}
