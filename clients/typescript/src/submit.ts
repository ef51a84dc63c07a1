/**
 * Submitting so that no payment happens twice, however often an answer is lost.
 *
 * The same text is sent again, never another: its nonce is used once, so the ledger itself takes it
 * once. What is told as invalid (its nonce is used, or it expired meanwhile) may have been carried
 * out before, with an answer that nobody heard: then its status says what it came to.
 */

import type { Applied, Status, SubmitAnswer } from "./answers.js";
import { readEnvelope } from "./envelope.js";
import { AlreadyDecided, failure, Invalid, NodeError, Refused, Unreachable } from "./errors.js";
import { type Connection, problemIn } from "./http.js";
import { transactionId } from "./payload.js";

const PATH = "/v1/transactions";
const BATCH = 500;

/** What a transaction came to, in a list: applied, or why not. */
export type Outcome = Applied | Refused | AlreadyDecided | Invalid | Unreachable;

/**
 * Submit until it is decided and durable.
 *
 * Throws Refused, AlreadyDecided, Invalid, NodeError, Unreachable.
 */
export async function submit(node: Connection, transaction: string): Promise<Applied> {
  const mediaType = transaction.startsWith("{") ? "application/jose+json" : "application/jose";
  const found = await node.ask({ method: "POST", path: PATH, body: transaction, mediaType });
  if (found.status < 400) return applied(JSON.parse(found.text) as SubmitAnswer);
  const error = failure(problemIn(found.status, found.text));
  if (error instanceof Invalid) return settled(node, transaction, error);
  throw error;
}

/** Submit in batches; each has its own outcome, in order. Throws NodeError. */
export async function submitMany(
  node: Connection,
  transactions: readonly string[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < transactions.length; at += BATCH) {
    outcomes.push(...(await batch(node, transactions.slice(at, at + BATCH))));
  }
  return outcomes;
}

async function batch(node: Connection, transactions: readonly string[]): Promise<Outcome[]> {
  const body = JSON.stringify({ transactions });
  const asked = { method: "POST", path: PATH, body, mediaType: "application/json" } as const;
  const found = await node.ask(asked);
  if (found.status >= 400) throw failure(problemIn(found.status, found.text));
  const { results } = JSON.parse(found.text) as { results: SubmitAnswer[] };
  const outcomes: Outcome[] = [];
  for (const [at, transaction] of transactions.entries()) {
    outcomes.push(await outcomeOf(node, transaction, results[at]));
  }
  return outcomes;
}

/** One line of a batch's answer; what was not taken is sent again by itself. */
async function outcomeOf(
  node: Connection,
  transaction: string,
  answer: SubmitAnswer | undefined,
): Promise<Outcome> {
  if (answer === undefined) throw new TypeError("the node left a transaction unanswered");
  try {
    if (answer.state === "not taken") return await submit(node, transaction);
    if (answer.state === "invalid") {
      const error = new Invalid(answer.number ?? 0, answer.why ?? "");
      return await settled(node, transaction, error);
    }
    return applied(answer);
  } catch (error) {
    if (error instanceof Refused || error instanceof AlreadyDecided) return error;
    if (error instanceof Invalid || error instanceof Unreachable) return error;
    throw error;
  }
}

/** What an earlier attempt came to; if to nothing, what the last one said stands. */
async function settled(node: Connection, transaction: string, last: Invalid): Promise<Applied> {
  const id = await transactionId(payloadIn(transaction, last));
  const found = await node.get<Status>(`${PATH}/${id}`);
  const { height, index, receipt, number = 0, why = "" } = found;
  if (height === undefined || index === undefined) throw last;
  const decided = { id, height, index, number, why };
  if (receipt !== undefined) {
    return applied({ state: number === 0 ? "applied" : "refused", ...decided, receipt });
  }
  // The block's body was pruned: what became of it is known for ever, its receipt is not.
  if (number === 0) throw new AlreadyDecided(id, height, index);
  return applied({ state: "refused", ...decided });
}

function payloadIn(transaction: string, last: Invalid): Uint8Array {
  try {
    return readEnvelope(transaction).payload;
  } catch {
    throw last; // what can't be read was not taken either
  }
}

function applied(answer: SubmitAnswer): Applied {
  const { id, height, index, receipt, number = 0, why = "" } = answer;
  if (number !== 0) throw new Refused(number, why, id ?? "", receipt?.message ?? 0);
  if (id === undefined || height === undefined || index === undefined || receipt === undefined) {
    throw new NodeError({ type: "about:blank", title: "the node gave no outcome", status: 0 });
  }
  return { id, height, index, receipt };
}
