/** Asking a node: until there is an answer that does not say "later". */

import type { Problem } from "./answers.js";
import { joined } from "./bytes.js";
import { failure, NodeError, Unreachable } from "./errors.js";
import { isObject, type Json } from "./json.js";
import { Credentials, type SessionOf } from "./session.js";
import { piecesOf } from "./sse.js";

/** How often, and how, a client asks. */
export interface Options {
  /** Attempts before it gives up. */
  readonly attempts?: number;
  /** How long one attempt may take, in ms. */
  readonly timeout_ms?: number;
  /** Who asks, where reading is for members: an API key. */
  readonly apiKey?: string;
  /** Who asks: an account, whose key signs challenges here. */
  readonly session?: SessionOf;
  /** What asks; by default the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** How it waits between attempts, in ms; by default by the clock. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** One request. */
export interface Ask {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Query;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly mediaType?: string;
}

/** Parameters; those that are undefined are left out. */
export type Query = readonly (readonly [name: string, value: string | number | undefined])[];

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const ANSWER_BYTES_LIMIT = 67_108_864;
const LATER: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 507]);

/** Whether a status says that the same request may succeed later. */
export function isLater(status: number): boolean {
  return LATER.has(status);
}

/** How long to wait before attempt `attempt`, the first being 0, in ms. */
export function pauseBefore(attempt: number): number {
  return attempt === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
}

/** The connection to one node: where it is and how to ask. */
export class Connection {
  readonly attempts: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly #fetch: typeof globalThis.fetch;
  readonly #credentials: Credentials;
  readonly #base: string;
  readonly #timeout_ms: number;

  /** Ask a node such as `http://127.0.0.1:8632`. */
  constructor(address: string, options: Options = {}) {
    this.#base = address.replace(/\/$/, "");
    this.attempts = options.attempts ?? 8;
    this.#timeout_ms = options.timeout_ms ?? 30_000;
    this.#credentials = new Credentials(this.#base, options.apiKey, options.session);
    this.#fetch = options.fetch ?? ((...asked) => globalThis.fetch(...asked));
    this.wait = options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** The whole address of a path. */
  url(path: string, query: Query = []): string {
    const given = query.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return `${this.#base}${path}${given.length === 0 ? "" : `?${new URLSearchParams(given)}`}`;
  }

  /** Send one request, as whoever this client is. */
  send(url: string, init: RequestInit): Promise<Response> {
    return this.#credentials.send(this.#fetch, url, init);
  }

  /** Ask until there is an answer that does not say "later". Throws Unreachable. */
  async ask(asked: Ask): Promise<Answered> {
    const { status, content } = await this.#ask(asked);
    return { status, text: new TextDecoder().decode(content) };
  }

  /** The bytes of an answer that is no problem. Throws what the problem says, and Unreachable. */
  async bytes(asked: Ask): Promise<Uint8Array> {
    const { status, content } = await this.#ask(asked);
    if (status >= 400) throw failure(problemIn(status, new TextDecoder().decode(content)));
    return content;
  }

  async #ask(asked: Ask): Promise<{ readonly status: number; readonly content: Uint8Array }> {
    let why = "";
    let told_ms = 0;
    for (let attempt = 0; attempt < this.attempts; attempt += 1) {
      await this.wait(Math.max(pauseBefore(attempt), told_ms));
      try {
        const answer = await this.send(this.url(asked.path, asked.query), this.#request(asked));
        const content = await contentOf(answer);
        if (!isLater(answer.status)) return { status: answer.status, content };
        const seconds = Number(answer.headers.get("retry-after") ?? 0) || 0;
        told_ms = Math.min(1_000 * seconds, LONGEST_PAUSE_MS);
        why = problemIn(answer.status, new TextDecoder().decode(content)).title;
      } catch (error) {
        // The platform's ways to say that no answer came; whatever else is thrown is a bug.
        if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
        told_ms = 0;
        why = String(error);
      }
    }
    throw new Unreachable(`asked ${this.attempts} times: ${why}`);
  }

  /** The text of an answer that is no problem. Throws what the problem says, and Unreachable. */
  async text(asked: Ask): Promise<string> {
    const found = await this.ask(asked);
    if (found.status >= 400) throw failure(problemIn(found.status, found.text));
    return found.text;
  }

  /** What a path says. Throws NodeError, NotFound, Unreachable. */
  async get<Answer>(path: string, query: Query = []): Promise<Answer> {
    return JSON.parse(await this.text({ method: "GET", path, query })) as Answer;
  }

  #request(asked: Ask): RequestInit {
    return {
      method: asked.method,
      redirect: "error",
      cache: "no-store",
      signal: AbortSignal.timeout(this.#timeout_ms),
      ...(asked.body === undefined ? {} : { body: asked.body }),
      ...(asked.mediaType === undefined ? {} : { headers: { "content-type": asked.mediaType } }),
    };
  }
}

/** The bytes of an answer, if it is not endless. Throws NodeError. */
async function contentOf(answer: Response): Promise<Uint8Array> {
  if (answer.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of piecesOf(answer.body)) {
    length += piece.length;
    if (length > ANSWER_BYTES_LIMIT) {
      const title = `the node's answer is longer than ${ANSWER_BYTES_LIMIT} bytes`;
      throw new NodeError({ type: "about:blank", title, status: answer.status });
    }
    pieces.push(piece);
  }
  return joined(...pieces);
}

/** The problem document in an answer, or one made of its status. */
export function problemIn(status: number, text: string): Problem {
  const plain = { type: "about:blank", title: `status ${status}`, status };
  try {
    const found = JSON.parse(text) as Json;
    return isObject(found) && typeof found["title"] === "string"
      ? { ...plain, ...(found as unknown as Problem) }
      : plain;
  } catch (error) {
    if (error instanceof SyntaxError) return plain;
    throw error;
  }
}
