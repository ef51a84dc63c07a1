/** Following what happens, through broken connections and restarts of the node. */

import type { ChainAnswer, Happening } from "./answers.js";
import { failure, Unreachable } from "./errors.js";
import { type Connection, isLater, pauseBefore, problemIn } from "./http.js";
import { dataOf, linesOf } from "./sse.js";

/** What to follow: everything, or what mentions all that is named here. */
export interface Following {
  /** The cursor of the last that was seen; without it, from now on. */
  readonly after?: string;
  readonly account?: string;
  readonly asset?: string;
  /** The id of a thing, such as a hold. */
  readonly thing?: string;
  /** A message's or an event's type, such as `asset.transfer`. */
  readonly type?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** In a cursor: after whatever a block holds. */
const END_OF_BLOCK = 10 ** 9 - 1;
/** A node shows life every 15 s: after three times that, a connection is taken for dead. */
const QUIET_MS = 45_000;

/**
 * Happenings without end, each once and in order, however often the connection breaks.
 *
 * Throws Unreachable when the node stays away, NodeError when it does not take the filters.
 */
export async function* follow(node: Connection, asked: Following): AsyncGenerator<Happening> {
  const stopping = asked.signal ?? new AbortController().signal;
  let cursor = asked.after ?? (await now(node));
  let failures = 0;
  while (!stopping.aborted) {
    try {
      for await (const happening of connection(node, asked, cursor, stopping)) {
        failures = 0;
        cursor = happening.cursor;
        yield happening;
      }
    } catch (error) {
      if (stopping.aborted) return;
      if (!isLost(error)) throw error;
      failures += 1;
      if (failures >= node.attempts) {
        throw new Unreachable(`the stream broke ${failures} times: ${String(error)}`);
      }
    }
    if (!stopping.aborted) await node.wait(pauseBefore(failures + 1));
  }
}

/** The cursor after the last block. */
async function now(node: Connection): Promise<string> {
  return `${(await node.get<ChainAnswer>("/v1")).height}.${END_OF_BLOCK}`;
}

/** The happenings of one connection, until it ends. */
async function* connection(
  node: Connection,
  asked: Following,
  after: string,
  stopping: AbortSignal,
): AsyncGenerator<Happening> {
  const ending = new AbortController();
  const end = (): void => ending.abort(new DOMException("the stream went quiet", "TimeoutError"));
  let quiet = setTimeout(end, QUIET_MS);
  stopping.addEventListener("abort", end);
  try {
    const { account, asset, thing, type } = asked;
    const filters = Object.entries({ after, account, asset, thing, type });
    const answer = await node.send(node.url("/v1/events", filters), { signal: ending.signal });
    if (isLater(answer.status)) throw new TypeError(`status ${answer.status}`);
    if (!answer.ok) throw failure(problemIn(answer.status, await answer.text()));
    if (answer.body === null) throw new TypeError("the answer has no body");
    for await (const line of linesOf(answer.body)) {
      clearTimeout(quiet);
      quiet = setTimeout(end, QUIET_MS);
      const data = dataOf(line);
      if (data !== undefined) yield JSON.parse(data) as Happening;
    }
  } finally {
    clearTimeout(quiet);
    stopping.removeEventListener("abort", end);
    end();
  }
}

/** Whether an error is the platform's way to say that a connection broke or was cut off. */
function isLost(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException;
}
