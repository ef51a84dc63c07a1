/** The ledger behind a node: queries, and transactions that happen once. */

import { setTimeout as wait } from "node:timers/promises";
import { hexOf, utf8 } from "./bytes.js";
import { jcs, sha256 } from "./hashes.js";
import { ask, parsed, Refusal } from "./http.js";
import type { Journal } from "./journal.js";
import type { Signer } from "./keys.js";

const EXPIRES_MS = 600_000;
const LOOK_MS = 200;
const NONCE_WAS_USED = 15;
const SIGNATURES = 5;

interface Outcome {
  readonly state: "applied" | "refused" | "invalid" | "pending" | "not taken" | "unknown";
  readonly never?: boolean;
  readonly number?: number;
  readonly why?: string;
  readonly receipt?: { readonly ids?: readonly string[] };
}

interface Page<Value> {
  readonly rows: readonly { readonly key: string; readonly value: Value }[];
  readonly after: string | null;
}

/** A chain as one account sees it. */
export class Ledger {
  private constructor(
    private readonly node: string,
    private readonly account: string,
    private readonly signer: Signer,
    private readonly journal: Journal,
    readonly chain: string,
  ) {}

  /** Say hello to a node such as `http://127.0.0.1:8632`. */
  static async meet(
    node: string,
    account: string,
    signer: Signer,
    journal: Journal,
  ): Promise<Ledger> {
    const { chain } = parsed(await ask(`${node}/v1`)) as { chain: string };
    return new Ledger(node, account, signer, journal, chain);
  }

  /** The time that a block made now would carry, in ms UTC. */
  async now(): Promise<number> {
    return ((await this.get("/v1")) as { now: number }).now;
  }

  /** What a query answers, or null. */
  async one<Value>(query: string, given: Record<string, string> = {}): Promise<Value | null> {
    return ((await this.get(`/v1/${query}`, given)) as { value: Value | null }).value;
  }

  /** All rows of a query, page after page, at most so many. */
  async all<Value>(
    query: string,
    given: Record<string, string>,
    most = 10_000,
  ): Promise<{ readonly key: string; readonly value: Value }[]> {
    const rows: { readonly key: string; readonly value: Value }[] = [];
    let after: string | null = null;
    do {
      const more: Record<string, string> = after === null ? {} : { after };
      const page = (await this.get(`/v1/${query}`, { ...given, ...more })) as Page<Value>;
      rows.push(...page.rows);
      after = page.after;
    } while (after !== null && rows.length < most);
    return rows;
  }

  /**
   * Let a message happen once, however often this program is started: what is signed is on disk
   * before it is sent, and the same bytes are sent again. The ids that were made.
   */
  async once(step: string, message: Record<string, unknown>): Promise<readonly string[]> {
    const name = `${step}.jws`;
    for (let tries = 0; tries < SIGNATURES; tries += 1) {
      let signed = this.journal.text(name);
      if (signed === undefined) {
        signed = await this.sign(message);
        await this.journal.put(name, signed);
      }
      const outcome = await this.decide(signed);
      if (outcome.state === "applied") return outcome.receipt?.ids ?? [];
      if (outcome.state !== "unknown") {
        throw new Refusal(409, `${step}: ${outcome.why ?? outcome.state}`, outcome.number);
      }
      await this.journal.remove(name); // it is certain that this one never happens
    }
    throw new Error(`${step}: ${SIGNATURES} signed transactions came to nothing`);
  }

  private async sign(message: Record<string, unknown>): Promise<string> {
    const key = new URLSearchParams([["key", this.account], ["key", "0"]]);
    const url = `${this.node}/v1/rows/kernel.nonces?${key}`;
    const used = parsed(await ask(url)) as { value: { highest: number } | null };
    const payload = jcs({
      chain: this.chain,
      expires: (await this.now()) + EXPIRES_MS,
      messages: [message],
      nonce: (used.value?.highest ?? 0) + 1,
      sender: this.account,
    });
    return this.signer.sign("tongbao-tx+jws", payload);
  }

  /** What signed bytes came to; `unknown` where they never happen: docs/send-over-http.md. */
  private async decide(signed: string): Promise<Outcome> {
    const payload = Buffer.from(signed.split(".")[1] ?? "", "base64url");
    const { expires } = JSON.parse(payload.toString()) as { expires: number };
    const id = hexOf(await sha256(utf8("tongbao/tx/1"), payload));
    for (;;) {
      const sent = await this.submit(signed);
      if (sent.state === "applied" || sent.state === "refused") return sent;
      if (sent.state === "invalid" && sent.number !== NONCE_WAS_USED) {
        const found = await this.status(id, expires); // it may have happened before it ended
        return found.state === "unknown" && !found.never ? sent : found;
      }
      if (sent.state !== "not taken") {
        const found = await this.status(id, expires);
        if (found.state === "applied" || found.state === "refused") return found;
        if (found.never || (sent.state === "invalid" && found.state === "unknown")) return found;
      }
      await wait(LOOK_MS);
    }
  }

  private async submit(signed: string): Promise<Outcome> {
    const body = jcs({ transactions: [signed] });
    const asked = { method: "POST", body, contentType: "application/json" } as const;
    const told = parsed(await ask(`${this.node}/v1/transactions`, asked));
    const [outcome] = (told as { results: readonly Outcome[] }).results;
    if (outcome === undefined) throw new Error("the node has told no outcome");
    return outcome;
  }

  private async status(id: string, expires: number): Promise<Outcome> {
    return (await this.get(`/v1/transactions/${id}`, { expires: String(expires) })) as Outcome;
  }

  private async get(path: string, given: Record<string, string> = {}): Promise<unknown> {
    return parsed(await ask(`${this.node}${path}?${new URLSearchParams(given)}`));
  }
}
