/** What moved by a receipt, as an account sees it, with the references that were signed. */

import type { Json, JsonObject } from "./json.js";

const PAYING: readonly Json[] = ["asset.issue", "asset.redeem", "asset.transfer"];

/** A movement that a proven receipt names, from the side of one account. */
export interface Moved {
  readonly place: number;
  readonly way: string;
  readonly amount: Json;
  readonly counterparty: Json;
  readonly reference: Json;
}

/** Movements of an account in an asset by a receipt; due work has no payload. */
export function movedIn(
  receipt: JsonObject,
  payload: JsonObject | undefined,
  account: string,
  asset: string,
): Moved[] {
  const events = (receipt["events"] ?? []) as readonly JsonObject[];
  const moves = events.filter((event) => event["@type"] === "asset.moved");
  const references = payload === undefined ? [] : referencesOf(moves, payload);
  const found: Moved[] = [];
  for (const [place, move] of moves.entries()) {
    const [payer, payee] = [move["payer"] ?? null, move["payee"] ?? null];
    if (move["asset"] !== asset || (payer !== account && payee !== account)) continue;
    const isIn = payee === account;
    const [way, counterparty] = [isIn ? "in" : "out", isIn ? payer : payee];
    const reference = references[place] ?? null;
    const amount = move["amount"] ?? null;
    found.push({ place, way, amount, counterparty, reference });
  }
  return found;
}

/** Each movement bears the reference of the message that made it, else the transaction's. */
function referencesOf(moves: readonly JsonObject[], payload: JsonObject): Json[] {
  const messages = payload["messages"] as readonly JsonObject[];
  const paying = messages.filter((one) => PAYING.includes(one["@type"] ?? null));
  const own = payload["reference"] ?? null;
  let next = 0;
  return moves.map((move) => {
    const waiting = paying[next];
    if (waiting === undefined || !isOf(move, waiting, payload["sender"] ?? null)) return own;
    next += 1;
    return waiting["reference"] ?? own;
  });
}

/** Whether a movement is what a paying message makes. */
function isOf(move: JsonObject, message: JsonObject, sender: Json): boolean {
  const isSame = ["asset", "amount", "payee"].every((name) => move[name] === message[name]);
  return isSame && [sender, undefined].includes(move["payer"]);
}
