/** A chain that a node serves: send, ask, follow, prove. */

import type { Applied, ChainAnswer, DryRun, Found, Happening, Page, Status } from "./answers.js";
import { failure } from "./errors.js";
import { follow, type Following } from "./follow.js";
import { Connection, type Options, problemIn, type Query } from "./http.js";
import type { Signer } from "./keys.js";
import type {
  Account,
  Address,
  AssetDefinition,
  AssetHolding,
  AssetId,
  AssetSupply,
  Hold,
  Id,
} from "./registry.js";
import { type Outcome, submit, submitMany } from "./submit.js";
import { type Verified, verify } from "./verify.js";
import { VerificationError } from "./verification_error.js";
import { Wallet } from "./wallet.js";

/** The parts of a row's key, in order. */
export type Key = readonly (string | number)[];

/** A chain behind a node's address. Many calls may be under way at once. */
export class Chain {
  readonly id: string;
  readonly #node: Connection;
  readonly #ahead_ms: number;
  #seen = 0;

  private constructor(node: Connection, met: ChainAnswer) {
    this.#node = node;
    this.id = met.chain;
    this.#ahead_ms = met.now - Date.now();
  }

  /** Say hello to a node such as `http://127.0.0.1:8632`. Throws Unreachable. */
  static async connect(address: string, options: Options = {}): Promise<Chain> {
    const node = new Connection(address, options);
    return new Chain(node, await node.get<ChainAnswer>("/v1"));
  }

  /** The time, in ms UTC, that a block made now would carry, by the node's clock. */
  now(): number {
    return Date.now() + this.#ahead_ms;
  }

  /** The chain and its last block. */
  head(): Promise<ChainAnswer> {
    return this.#node.get("/v1");
  }

  /** Send as an account, with keys that this program may use; they never leave it. */
  wallet(address: Address, ...signers: Signer[]): Wallet {
    return new Wallet(this, address, signers);
  }

  /** Submit a signed transaction and wait until it is durable. Throws Refused, Invalid and more. */
  async submit(transaction: string): Promise<Applied> {
    return this.#saw(await submit(this.#node, transaction));
  }

  /** Submit many at once; each has its own outcome, in order. */
  async submitMany(transactions: readonly string[]): Promise<Outcome[]> {
    const outcomes = await submitMany(this.#node, transactions);
    for (const one of outcomes) if ("height" in one) this.#saw(one);
    return outcomes;
  }

  /** What a payload would do now, unsigned. Throws Invalid. */
  async dryRun(payload: Uint8Array<ArrayBuffer>): Promise<DryRun> {
    const mediaType = "application/json";
    const asked = { method: "POST", path: "/v1/dry-runs", body: payload, mediaType } as const;
    const found = await this.#node.ask(asked);
    if (found.status >= 400) throw failure(problemIn(found.status, found.text));
    return JSON.parse(found.text) as DryRun;
  }

  /** What became of a transaction; with its `expires`, also whether it can still happen. */
  status(transactionId: string, expires?: number): Promise<Status> {
    return this.#node.get(`/v1/transactions/${transactionId}`, [["expires", expires]]);
  }

  /** What happens, as it happens; `for await` ends it when left. */
  follow(asked: Following = {}): AsyncGenerator<Happening> {
    return follow(this.#node, asked);
  }

  /** Ask a module's query: `query("asset", "supply", { asset })`. */
  async query<Value>(module: string, name: string, given: Given = {}): Promise<Value | null> {
    return (await this.#read<Found<Value>>(queryPath(module, name), given)).value;
  }

  /** One page of a module's query; `after` is where the page before ended. */
  page<PageKey, Value>(
    module: string,
    name: string,
    given: Given = {},
  ): Promise<Page<PageKey, Value>> {
    return this.#read(queryPath(module, name), given);
  }

  /** Every row of a module's query, asked a page at a time. */
  async *rows<RowKey, Value>(
    module: string,
    name: string,
    given: Given = {},
  ): AsyncGenerator<{ readonly key: RowKey; readonly value: Value }> {
    let after: string | undefined;
    do {
      const page = await this.page<RowKey, Value>(module, name, { ...given, after });
      yield* page.rows;
      after = page.after ?? undefined;
    } while (after !== undefined);
  }

  /** Who may sign for an address, or null. */
  account(address: Address): Promise<Account | null> {
    return this.query("account", "show", { address });
  }

  /** What an asset is, or null. */
  asset(asset: AssetId): Promise<AssetDefinition | null> {
    return this.query("asset", "show", { asset });
  }

  /** How much of an asset there is. */
  supply(asset: AssetId): Promise<AssetSupply | null> {
    return this.query("asset", "supply", { asset });
  }

  /** What an account holds of an asset, or null for nothing. */
  balance(account: Address, asset: AssetId): Promise<AssetHolding | null> {
    return this.query("asset", "balance", { account, asset });
  }

  /** An open hold, or null. */
  hold(hold: Id): Promise<Hold | null> {
    return this.query("hold", "show", { hold });
  }

  /** A row of any table, such as `row("asset.holdings", account, asset)`, or null. */
  async row<Value>(table: string, ...key: Key): Promise<Value | null> {
    const path = `/v1/rows/${encodeURIComponent(table)}`;
    return (await this.#node.get<Found<Value>>(path, this.#rowQuery(key))).value;
  }

  /** One above the highest nonce that a lane of an account has used. */
  async nextNonce(sender: Address, lane = 0): Promise<number> {
    const nonces = await this.row<{ highest: number }>("kernel.nonces", sender, lane);
    return (nonces?.highest ?? 0) + 1;
  }

  /** The proof file of a row, or of its absence, as text to keep or to verify. */
  proveRow(table: string, ...key: Key): Promise<string> {
    const path = `/v1/rows/${encodeURIComponent(table)}/proof`;
    return this.#node.text({ method: "GET", path, query: this.#rowQuery(key) });
  }

  /** The proof file of a transaction, as text. Throws NotFound. */
  proveTransaction(transactionId: string): Promise<string> {
    return this.#node.text({ method: "GET", path: `/v1/transactions/${transactionId}/proof` });
  }

  /**
   * What is true of a row, believed on proof alone: asked from the node, checked against `trust`.
   *
   * `value` is null where there is no such row. It is not older than what this program has done;
   * `height` and `time` say how new it is. Throws VerificationError.
   */
  async proven(trust: string | Uint8Array, table: string, ...key: Key): Promise<Verified> {
    const found = await verify(await this.proveRow(table, ...key), trust);
    const isAsked = found.name === table && told(found.key) === told(key);
    if (!isAsked) throw new VerificationError("ROW_IS_NOT_PROVEN", "it is of another row");
    if (found.height < this.#seen) throw new VerificationError("ROW_IS_NOT_PROVEN", "it is old");
    return found;
  }

  /**
   * The audit bundle of an account in an asset: what moved from one time to before another (dates,
   * ISO 8601 or ms), with proofs. `verifyBundle` says what it proves. Throws NotFound and more.
   */
  bundle(account: Address, asset: AssetId, period: BundlePeriod = {}): Promise<Uint8Array> {
    const given = [["asset", asset], ["from", period.from], ["to", period.to]] as const;
    const query = [...given, ["min_height", this.#seen] as const];
    return this.#node.bytes({ method: "GET", path: `/v1/accounts/${account}/bundle`, query });
  }

  /** What the node says of who signs: compare it with what somebody you trust says. */
  trust(): Promise<string> {
    return this.#node.text({ method: "GET", path: "/v1/trust" });
  }

  #read<Answer>(path: string, given: Given): Promise<Answer> {
    return this.#node.get(path, [...Object.entries(given), ["min_height", this.#seen]]);
  }

  #rowQuery(key: Key): Query {
    return [...key.map((part) => ["key", part] as const), ["min_height", this.#seen]];
  }

  /** Later reads are at least of this height: everybody reads their own writes. */
  #saw(applied: Applied): Applied {
    this.#seen = Math.max(this.#seen, applied.height);
    return applied;
  }
}

/** From when, and before when; left out, from the beginning, and until now. */
export interface BundlePeriod {
  readonly from?: string | number;
  readonly to?: string | number;
}

/** Arguments of a query by name; those that are undefined are left out. */
export type Given = Readonly<Record<string, string | number | undefined>>;

/** A key as one text, however its parts were written. */
function told(key: Key): string {
  return JSON.stringify(key.map(String));
}

/** Where a module's query is asked: `hold.held_for` is `/v1/hold/held-for`. */
function queryPath(module: string, name: string): string {
  return `/v1/${encodeURIComponent(module)}/${encodeURIComponent(name.replaceAll("_", "-"))}`;
}
