/** Who a client is: an API key, or a session that is opened again when it has ended. */

import { base64urlOf, utf8 } from "./bytes.js";
import { NodeError } from "./errors.js";
import { canonical, canonicalBytes } from "./json.js";
import type { Signer } from "./keys.js";
import type { Address } from "./registry.js";

/** An account, and a key of it that signs the node's challenges here. */
export interface SessionOf {
  readonly account: Address;
  readonly signer: Signer;
}

/** What a node asks a key to sign. */
interface Challenge {
  readonly account: string;
  readonly chain: string;
  readonly ends: number;
  readonly nonce: string;
  readonly origin: string;
}

type Fetch = typeof globalThis.fetch;

const TYPE = "tongbao-session+jws";
const UNAUTHORIZED = 401;

/** A node asks for a signature that would open a session elsewhere, or opens none. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

/** Says with each request who sends it. */
export class Credentials {
  readonly #base: string;
  readonly #session: SessionOf | undefined;
  #token: string | undefined;
  #opening: Promise<void> | undefined;

  /** By an API key, or by a session at the node of this address, or by neither. */
  constructor(base: string, apiKey: string | undefined, session: SessionOf | undefined) {
    if (apiKey !== undefined && session !== undefined) {
      throw new TypeError("give an apiKey or a session, not both");
    }
    this.#base = base;
    this.#session = session;
    this.#token = apiKey;
  }

  /** Send a request; when its session has ended, open another one and send it once more. */
  async send(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
    const token = this.#token;
    const answer = await fetch(url, this.#with(init));
    if (answer.status !== UNAUTHORIZED || this.#session === undefined) return answer;
    await answer.body?.cancel();
    if (this.#token === token) {
      const { account, signer } = this.#session;
      this.#opening ??= this.#open(fetch, account, signer).finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
    return fetch(url, this.#with(init));
  }

  #with(init: RequestInit): RequestInit {
    if (this.#token === undefined) return init;
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.#token}`);
    return { ...init, headers };
  }

  async #open(fetch: Fetch, account: Address, signer: Signer): Promise<void> {
    const path = "/v1/sessions/challenge";
    const asked = await this.#post(fetch, path, canonical({ account }), "application/json");
    const { chain, ends, nonce, origin } = asked as unknown as Challenge;
    const own = new URL(this.#base).origin;
    if (origin !== own) throw new SessionError(`${own} asks for a session at ${String(origin)}`);
    const header = canonicalBytes({ alg: "Ed25519", kid: signer.keyId, typ: TYPE });
    const payload = canonicalBytes({ account, chain, ends, nonce, origin });
    const input = `${base64urlOf(header)}.${base64urlOf(payload)}`;
    const signed = `${input}.${base64urlOf(await signer.sign(utf8(input)))}`;
    const opened = await this.#post(fetch, "/v1/sessions", signed, "application/jose");
    if (typeof opened["token"] !== "string") throw new SessionError("the node told no token");
    this.#token = opened["token"];
  }

  async #post(
    fetch: Fetch,
    path: string,
    body: string,
    mediaType: string,
  ): Promise<Record<string, unknown>> {
    const headers = { "content-type": mediaType };
    const init: RequestInit = { method: "POST", body, headers, redirect: "error" };
    const answer = await fetch(`${this.#base}${path}`, init);
    const found = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) {
      const { title, detail } = found;
      const said = `${String(title)}: ${String(detail)}`;
      throw new NodeError({ type: "about:blank", title: said, status: answer.status });
    }
    return found;
  }
}
