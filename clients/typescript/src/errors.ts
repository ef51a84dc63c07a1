/** What can go wrong between a program and a node. */

import type { Problem } from "./answers.js";

/** Numbers from here on are refusals; below, a transaction is invalid. */
const FIRST_REFUSAL = 100;

/** A transaction that a module refused: only its nonce was used. `number` is in `WHY`. */
export class Refused extends Error {
  override readonly name = "Refused";

  /** Carry the reason, the transaction's id, and which message was refused, if that was told. */
  constructor(
    readonly number: number,
    why: string,
    readonly transactionId: string,
    readonly messageIndex?: number,
  ) {
    super(why);
  }
}

/**
 * A transaction that was applied before, in a block whose body the node has given up.
 *
 * It happened, once; only its receipt is not to be had there. Don't send it anew.
 */
export class AlreadyDecided extends Error {
  override readonly name = "AlreadyDecided";

  /** Carry the id, and where it stands. */
  constructor(
    readonly transactionId: string,
    readonly blockHeight: number,
    readonly index: number,
  ) {
    super(`applied before, in block ${blockHeight} at place ${index}, which was pruned`);
  }
}

/** A transaction that is not valid: nothing changed, no nonce was used. `number` is in `WHY`. */
export class Invalid extends Error {
  override readonly name = "Invalid";

  /** Carry the reason. */
  constructor(
    readonly number: number,
    why: string,
  ) {
    super(why);
  }
}

/** The node answered that the request was wrong; the text is the node's. */
export class NodeError extends Error {
  override readonly name: string = "NodeError";

  /** Carry the problem document. */
  constructor(readonly problem: Problem) {
    const { title, detail } = problem;
    super(detail === undefined || detail === "" ? title : `${title}: ${detail}`);
  }
}

/** There is no such thing. */
export class NotFound extends NodeError {
  override readonly name = "NotFound";
}

/** The node had it, and has given it up: the body of a block, or events that came of one. */
export class Gone extends NodeError {
  override readonly name = "Gone";
}

/**
 * The node did not answer, or not now, however often it was asked.
 *
 * What was submitted may or may not have happened; its status tells, and sending the same text
 * again can't make it happen twice.
 */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  /** Say why, and carry what was submitted, if anything was. */
  constructor(
    why: string,
    readonly transaction?: string,
  ) {
    super(why);
  }
}

/** The error for a number: a refusal, an invalid transaction, or without one the problem itself. */
export function failure(problem: Problem): Refused | Invalid | NodeError {
  const { number = 0, title, detail = "", id = "" } = problem;
  if (number >= FIRST_REFUSAL) return new Refused(number, title, id);
  if (number > 0) return new Invalid(number, detail === "" ? title : `${title}: ${detail}`);
  if (problem.status === 410) return new Gone(problem);
  return problem.status === 404 ? new NotFound(problem) : new NodeError(problem);
}
