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
import { type Connection, pauseBefore, problemIn } from "./http.js";
import { transactionId } from "./payload.js";
import { WHY } from "./reasons.js";

const PATH = "/v1/transactions";
const BATCH = 500;

/** The payload of a transaction, as bytes, and its `expires` in ms UTC. */
interface Signed {
  readonly payload: Uint8Array;
  readonly expires: number | undefined;
}

/** What a transaction came to, in a list: applied, or why not. */
export type Outcome = Applied | Refused | AlreadyDecided | Invalid | Unreachable;

/**
 * Submit until it is decided and durable.
 *
 * Throws Refused, AlreadyDecided, Invalid, NodeError, Unreachable.
 */
export async function submit(node: Connection, transaction: string): Promise<Applied> {
  const mediaType = transaction.startsWith("{") ? "application/jose+json" : "application/jose";
  try {
    const found = await node.ask({ method: "POST", path: PATH, body: transaction, mediaType });
    if (found.status < 400) {
      return await comeTo(node, transaction, JSON.parse(found.text) as SubmitAnswer);
    }
    const error = failure(problemIn(found.status, found.text));
    if (error instanceof Invalid) return await settled(node, transaction, error);
    throw error;
  } catch (error) {
    if (error instanceof Unreachable) throw new Unreachable(error.message, transaction);
    throw error;
  }
}

/** What one answer means; one that waits for its block is asked for by its id. */
async function comeTo(
  node: Connection,
  transaction: string,
  answer: SubmitAnswer,
): Promise<Applied> {
  if (answer.state === "pending") return settled(node, transaction);
  if (answer.state === "invalid") {
    return settled(node, transaction, new Invalid(answer.number ?? 0, answer.why ?? ""));
  }
  return applied(answer);
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
  let tired: Unreachable | undefined;
  for (const [at, transaction] of transactions.entries()) {
    const outcome = await outcomeOf(node, transaction, results[at], tired);
    if (outcome instanceof Unreachable) tired = outcome;
    outcomes.push(outcome);
  }
  return outcomes;
}

/**
 * One line of a batch's answer; what was not taken is sent again by itself.
 *
 * Once patience has ended for one (`tired`), nothing is asked for the others.
 */
async function outcomeOf(
  node: Connection,
  transaction: string,
  answer: SubmitAnswer | undefined,
  tired: Unreachable | undefined,
): Promise<Outcome> {
  if (answer === undefined) throw new TypeError("the node left a transaction unanswered");
  const isDecided = answer.state === "applied" || answer.state === "refused";
  if (tired !== undefined && !isDecided) return new Unreachable(tired.message, transaction);
  try {
    if (answer.state === "not taken") return await submit(node, transaction);
    return await comeTo(node, transaction, answer);
  } catch (error) {
    if (error instanceof Unreachable) return new Unreachable(error.message, transaction);
    if (error instanceof Refused || error instanceof AlreadyDecided) return error;
    if (error instanceof Invalid) return error;
    throw error;
  }
}

/**
 * What an earlier attempt came to; if to nothing, what the last one said stands.
 *
 * While it waits for its block nothing is known: it is asked for again, as often as the node is.
 */
async function settled(node: Connection, transaction: string, last?: Invalid): Promise<Applied> {
  const { payload, expires } = signedIn(transaction, last);
  const id = await transactionId(payload);
  for (let attempt = 0; attempt < node.attempts; attempt += 1) {
    await node.wait(pauseBefore(attempt));
    const found = await node.get<Status>(`${PATH}/${id}`, [["expires", expires]]);
    const { height, index } = found;
    if (height !== undefined && index !== undefined) return told(id, height, index, found);
    if (found.state !== "pending" && last !== undefined) throw last;
    if (found.never === true) throw new Invalid(WHY.invalid.EXPIRY_HAS_PASSED, "it never happens");
  }
  throw new Unreachable("it still waits for its block, and may still happen");
}

/** What a node tells of a decided transaction. Throws what else it came to than applied. */
function told(id: string, height: number, index: number, found: Status): Applied {
  const { receipt, number = 0, why = "" } = found;
  const decided = { id, height, index, number, why };
  if (receipt !== undefined) {
    return applied({ state: number === 0 ? "applied" : "refused", ...decided, receipt });
  }
  // The block's body was pruned: what became of it is known for ever, its receipt is not.
  if (number === 0) throw new AlreadyDecided(id, height, index);
  return applied({ state: "refused", ...decided });
}

/** What was signed, and until when it may happen. Throws `last`. */
function signedIn(transaction: string, last: Invalid | undefined): Signed {
  try {
    const { payload } = readEnvelope(transaction);
    const { expires } = JSON.parse(new TextDecoder().decode(payload)) as { expires?: number };
    return { payload, expires };
  } catch (error) {
    throw last ?? error; // what can't be read was not taken either
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
