/** Asking over HTTP: answers have a limit, and a service that is away is asked again. */

import { setTimeout as wait } from "node:timers/promises";
import { type Bytes, hexOf, joined } from "./bytes.js";
import { jcs, sha256 } from "./hashes.js";
import type { Signer } from "./keys.js";

/** An answer that is an error, with its problem document's detail. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    detail: string,
    /** The number of the rule that refused, where one did. */
    readonly number?: number,
  ) {
    super(`${status}: ${detail}${number === undefined ? "" : ` (${number})`}`);
  }
}

/** What is asked of a service. */
export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: Bytes;
  readonly contentType?: string;
  /** Bytes that an answer may have. */
  readonly limit?: number;
}

const ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_MS = 60_000;
const TRIES = 30;
const BETWEEN_MS = 500;
const FOR_A_WHILE = [408, 429, 502, 503, 504];

/** Ask, with headers that are made anew for each try. Throws Refusal. */
export async function ask(
  url: string,
  asked: Asked = {},
  headers: () => Promise<Record<string, string>> = async () => ({}),
): Promise<Bytes> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await askOnce(url, asked, await headers());
    } catch (error) {
      const passes = !(error instanceof Refusal) || FOR_A_WHILE.includes(error.status);
      if (!passes || left <= 1) throw error;
    }
    await wait(BETWEEN_MS);
  }
}

async function askOnce(
  url: string,
  { method = "GET", body, contentType, limit = ANSWER_BYTES }: Asked,
  headers: Record<string, string>,
): Promise<Bytes> {
  const told = { ...headers, ...(contentType && { "content-type": contentType }) };
  const signal = AbortSignal.timeout(ANSWER_MS);
  const given = { method, headers: told, signal, redirect: "error" } as const;
  const answer = await fetch(url, body === undefined ? given : { ...given, body });
  const bytes = await limited(answer, answer.ok ? limit : ANSWER_BYTES);
  if (!answer.ok) throw refusalIn(answer.status, bytes);
  return bytes;
}

async function limited(answer: Response, limit: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > limit) throw new Refusal(413, "the answer is longer than it may be");
    parts.push(part);
  }
  return joined(...parts);
}

function refusalIn(status: number, bytes: Bytes): Refusal {
  try {
    const told = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const number = typeof told["number"] === "number" ? told["number"] : undefined;
    return new Refusal(status, String(told["detail"] ?? told["title"]), number);
  } catch {
    return new Refusal(status, "no problem document came");
  }
}

/** JSON of an answer. */
export function parsed(bytes: Bytes): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

const SIGNED_MS = 60_000;

/** The header of a signed request: docs/data-services.md, "Signed requests". */
export async function signedRequest(
  signer: Signer,
  account: string | undefined,
  method: string,
  url: string,
  body: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const place = new URL(url);
  const payload = jcs({
    ...(account !== undefined && { account }),
    body: hexOf(await sha256(body)),
    ends: Date.now() + SIGNED_MS,
    method,
    nonce: hexOf(crypto.getRandomValues(new Uint8Array(16))),
    origin: place.origin,
    path: place.pathname + place.search,
  });
  return signer.sign("tongbao-request+jws", payload);
}

/** A store, an agent or a panel, asked as an account. */
export class Service {
  constructor(
    private readonly address: string,
    private readonly signer: Signer,
    private readonly account: string,
  ) {}

  /** Ask with a signature; a lost answer is asked for anew, under another nonce. */
  ask(path: string, asked: Asked = {}): Promise<Bytes> {
    const url = new URL(path, this.address).href;
    return ask(url, asked, async () => {
      const method = asked.method ?? "GET";
      const header = await signedRequest(this.signer, this.account, method, url, asked.body);
      return { "tongbao-request": header };
    });
  }
}
