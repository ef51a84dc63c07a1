/** One purchase from the request to its rows: docs/operate/data-buyer.md, "From any language". */

import { setTimeout as wait } from "node:timers/promises";
import { base64urlOf, type Bytes, hexOf, joined, ofHex, utf8 } from "./bytes.js";
import { exchangeKeyOf } from "./exchange_key.js";
import { H, jcs } from "./hashes.js";
import { ask, parsed, Refusal, Service } from "./http.js";
import type { Journal } from "./journal.js";
import {
  isDelivered,
  judge,
  type Ordered,
  type OrderedBatch,
  rowsOf,
  type Verdict,
} from "./judge.js";
import type { Signer } from "./keys.js";
import type { Ledger } from "./ledger.js";
import { sealEvidence } from "./parcel.js";
import { checkReceipt, type DataRequest, type Facts } from "./receipt.js";
import { cut, drawExchangeKey, MOST_CHUNKS, openEnvelope, SEALED_BYTES } from "./sealing.js";

/** What to buy, and from where. */
export interface Wanted extends Omit<DataRequest, "batches" | "chain" | "delete_by"> {
  readonly deletion_bond: string;
  /** For how long the rows are kept. */
  readonly keep_ms: number;
  /** Until when, from now, the order has to be sealed. */
  readonly seal_ms: number;
  /** The address of the agent's program, and of adjudicators' programs by account. */
  readonly agent: string;
  readonly panel?: Readonly<Record<string, string>>;
}

/** An order as the ledger has it: docs/reference/module-data.md, `data.orders`. */
interface Order {
  readonly phase: string;
  readonly deadline: number;
  readonly grown: number;
  readonly batches: readonly string[];
  readonly fields: readonly string[];
  readonly schema: string;
  readonly seller: string;
  readonly offer: string;
  readonly grant_hash: string;
  readonly package_root: string;
  readonly chunks: number;
  readonly a_commit: string;
  readonly b_lock: string;
  readonly b: string;
  readonly panel?: readonly string[];
}

interface Batch extends OrderedBatch {
  readonly schema: string;
  readonly superseded?: boolean;
  readonly retired?: boolean;
}

const LOOK_MS = 200;
const CHUNKS_AT_ONCE = 32;
const REVEALED = ["revealed", "settled", "claimed", "upheld", "rejected"];
const OVER = ["cancelled", "withdrawn", "lapsed", "settled", "upheld", "rejected"];

/** Bought rows, or the ground of a claim. */
export interface Bought {
  readonly verdict: Verdict;
  readonly rows: readonly Record<string, unknown>[];
}

/** A purchase whose every step is on disk before the next: it can be started again at any time. */
export class Purchase {
  private readonly agent: Service;

  constructor(
    private readonly wanted: Wanted,
    private readonly ledger: Ledger,
    private readonly signer: Signer,
    private readonly journal: Journal,
    private readonly say: (line: string) => void,
  ) {
    this.agent = new Service(wanted.agent, signer, wanted.buyer);
  }

  /** Ask, order, fetch, check, confirm, open, judge; accept, or claim. */
  async run(): Promise<Bought> {
    const request = await this.ask();
    const id = await this.order(request);
    const sealed = await this.reach(id, "sealed", "confirmed", ...REVEALED);
    const ordered = await this.ordered(id, sealed);
    const { a, chunks } = await this.fetch(request, sealed, ordered);
    await this.confirm(id, sealed);
    const revealed = await this.reach(id, ...REVEALED);
    const { verdict, batches } = await judge(ordered, a, ofHex(revealed.b, 32), chunks);
    this.say(`judged: ${verdict}`);
    if (verdict !== "OK") await this.claim(id, sealed, a, chunks);
    else if (revealed.phase === "revealed") {
      await this.ledger.once("accept", { "@type": "data.accept", order: id });
    }
    return { verdict, rows: rowsOf(ordered, batches) };
  }

  /** Delete what was bought, files before keys, and then say so: the deletion bond comes back. */
  async forget(): Promise<void> {
    const id = await this.order(await this.request());
    for (const name of ["package", "a", "secret"]) await this.journal.remove(name);
    if (this.journal.get("deletion") === undefined) {
      const buyer = this.wanted.buyer;
      const licences = await this.ledger.all<{ order: string }>("data/licensed-to", { buyer });
      const licence = licences.find(({ value }) => value.order === id)?.key;
      if (licence === undefined) throw new Error("there is no licence of this order");
      const deleted_at = await this.ledger.now();
      const said = { account: buyer, chain: this.ledger.chain, deleted_at, licence, order: id };
      await this.journal.put("deletion", jcs(said));
    }
    const text = this.journal.get("deletion") as Bytes;
    await this.ledger.once("deletion", {
      "@type": "data.attest_deletion",
      attestation_hash: hexOf(await H("deletion", text)),
      licence: (parsed(text) as { licence: string }).licence,
    });
    this.say("deleted, and said so");
  }

  private async ask(): Promise<DataRequest> {
    const request = await this.request();
    const text = jcs(request);
    const asked = { method: "POST", body: text, contentType: "application/json" } as const;
    const told = parsed(await this.agent.ask("/v1/requests", asked)) as { request_hash: string };
    if (told.request_hash !== hexOf(await H("request", text))) {
      throw new Error("the agent has heard something else than was asked");
    }
    this.say(`asked for ${request.fields.join(", ")} of ${request.batches.length} batches`);
    return request;
  }

  /** The request as it was written down, or a new one for all live batches. */
  private async request(): Promise<DataRequest> {
    const kept = this.journal.get("request");
    if (kept !== undefined) return parsed(kept) as DataRequest;
    const { owner, schema } = this.wanted;
    const found = await this.ledger.all<Batch>("data/batches-of", { owner });
    const live = found.filter(({ value }) => value.schema === schema && !isOver(value));
    if (live.length === 0) throw new Error("the owner has no live batch of this schema");
    const { deletion_bond, keep_ms, seal_ms, agent, panel, ...terms } = this.wanted;
    const request = {
      ...terms,
      batches: live.map(({ key }) => key),
      chain: this.ledger.chain,
      delete_by: (await this.ledger.now()) + keep_ms,
    };
    await this.journal.put("request", jcs(request));
    return request;
  }

  private async order(request: DataRequest): Promise<string> {
    const isSent = this.journal.get("order.jws") !== undefined;
    if (!isSent && this.journal.get("secret") === undefined) {
      const drawn = await drawExchangeKey();
      await this.journal.put("buyer_key", base64urlOf(drawn.open));
      await this.journal.put("secret", drawn.secret);
    }
    const { chain, why, buyer, ...terms } = request;
    const [id] = await this.ledger.once("order", {
      "@type": "data.place_order",
      ...terms,
      buyer_key: this.journal.text("buyer_key"),
      deletion_bond: this.wanted.deletion_bond,
      request_hash: hexOf(await H("request", jcs(request))),
      seal_by: (await this.ledger.now()) + this.wanted.seal_ms,
    });
    if (id === undefined) throw new Error("the order has made no id");
    this.say(`ordered: ${id}`);
    return id;
  }

  /** An order once it has come to one of some phases; throws where it has ended in another. */
  private async reach(id: string, ...phases: readonly string[]): Promise<Order> {
    for (;;) {
      const order = await this.ledger.one<Order>("data/order", { order: id });
      if (order !== null && phases.includes(order.phase)) return order;
      if (order === null || OVER.includes(order.phase)) {
        throw new Error(`the order is ${order?.phase ?? "unknown"}: nothing more is owed`);
      }
      await wait(LOOK_MS);
    }
  }

  private async ordered(id: string, order: Order): Promise<Ordered> {
    const { schema } = order;
    const definition = await this.ledger.one<{ fields: readonly string[] }>("data/schema", {
      schema,
    });
    const batches = await Promise.all(
      order.batches.map((batch) => this.ledger.one<Batch>("data/batch", { batch })),
    );
    return {
      id: ofHex(id, 20),
      schema,
      schemaFields: definition?.fields ?? [],
      fields: order.fields,
      batches: batches.map((batch) => {
        if (batch === null) throw new Error(`the ledger lacks a batch of order ${id}`);
        return batch;
      }),
      chunks: order.chunks,
      packageRoot: order.package_root,
      aCommit: order.a_commit,
      bLock: order.b_lock,
    };
  }

  /** `a` and the chunks: checked to the end, and on disk. */
  private async fetch(
    request: DataRequest,
    order: Order,
    ordered: Ordered,
  ): Promise<{ readonly a: Bytes; readonly chunks: readonly Bytes[] }> {
    const a = this.journal.get("a");
    const kept = this.journal.get("package");
    if (a !== undefined && kept !== undefined) return { a, chunks: cut(kept) };
    if (order.chunks > MOST_CHUNKS) throw new Error("the package is too long for this program");
    const place = `/v1/deliveries/${hexOf(ordered.id)}`;
    const told = parsed(await this.delivered(place)) as { envelope: string; receipt: string };
    const receipt = utf8(told.receipt);
    await this.checkGrant(receipt, request, order, hexOf(ordered.id));
    const chunks = await this.chunks(place, order.chunks);
    const opened = await this.open(told.envelope, order, ordered.id);
    if (!(await isDelivered(ordered, opened, chunks))) {
      throw new Error("what came is not what was sealed: don't confirm");
    }
    await this.journal.put("receipt", receipt);
    await this.journal.put("package", joined(...chunks));
    await this.journal.put("a", opened);
    this.say(`fetched and checked: ${chunks.length} chunks, receipt, envelope`);
    return { a: opened, chunks };
  }

  /** The delivery; an agent may need a moment to hear that its seal is in a block. */
  private async delivered(place: string): Promise<Bytes> {
    for (let left = 100; ; left -= 1) {
      try {
        return await this.agent.ask(place);
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404 || left <= 1) throw error;
        await wait(LOOK_MS);
      }
    }
  }

  private async chunks(place: string, count: number): Promise<readonly Bytes[]> {
    const chunks: Bytes[] = [];
    while (chunks.length < count) {
      const wanted = Math.min(CHUNKS_AT_ONCE, count - chunks.length);
      const path = `${place}/chunks?from=${chunks.length}&count=${wanted}`;
      const some = cut(await this.agent.ask(path, { limit: wanted * SEALED_BYTES }));
      if (some.length === 0) throw new Error("the agent has fewer chunks than it has sealed");
      chunks.push(...some);
    }
    return chunks;
  }

  private async checkGrant(
    receipt: Bytes,
    request: DataRequest,
    order: Order,
    id: string,
  ): Promise<void> {
    if (hexOf(await H("grant", receipt)) !== order.grant_hash) {
      throw new Error("the receipt is not the one that was sealed: don't confirm");
    }
    await checkReceipt(receipt, await this.facts(request, order, id));
  }

  private async facts(request: DataRequest, order: Order, id: string): Promise<Facts> {
    const account = request.buyer;
    const enterprise = await this.ledger.one<{ region: string }>("data/enterprise", { account });
    const { offer } = order;
    const offered = await this.ledger.one<{ retention_ms: number }>("data/offer", { offer });
    const acting = await this.ledger.one<{ member: string }>("member/acting", { account });
    const lei = acting?.member;
    const member = lei && (await this.ledger.one<{ name: string }>("member/show", { lei }));
    if (!enterprise) throw new Error("the account is no enterprise any more: don't confirm");
    return {
      order: id,
      request,
      requestHash: hexOf(await H("request", jcs(request))),
      offer,
      offeredRetentionMs: offered?.retention_ms,
      deletionBond: this.wanted.deletion_bond,
      region: enterprise.region,
      seller: order.seller,
      ...(lei && member && { institution: { name: member.name, lei } }),
    };
  }

  private async open(envelope: string, order: Order, id: Bytes): Promise<Bytes> {
    const { grant_hash, package_root, a_commit, b_lock } = order;
    const told = [grant_hash, package_root, a_commit, b_lock].map((hash) => ofHex(hash, 32));
    const info = await H("envelope", id, ...told);
    const secret = this.journal.get("secret");
    if (secret === undefined) throw new Error("the secret of this order is lost");
    return openEnvelope(secret, ofHex(envelope, 80), info);
  }

  private async confirm(id: string, sealed: Order): Promise<void> {
    const clock = await this.ledger.one<{ grown: number }>("data/clock");
    const deadline = sealed.deadline + (clock?.grown ?? 0) - sealed.grown;
    const isLate = sealed.phase === "sealed" && (await this.ledger.now()) >= deadline;
    if (isLate) throw new Error("the time to confirm is over: nothing is owed");
    await this.ledger.once("confirm", {
      "@type": "data.confirm",
      order: id,
      grant_hash: sealed.grant_hash,
      package_root: sealed.package_root,
      nonce: hexOf(crypto.getRandomValues(new Uint8Array(16))),
    });
    this.say("confirmed");
  }

  /** Claim, and bring the evidence to each member of the panel whose address is known. */
  private async claim(
    id: string,
    sealed: Order,
    a: Bytes,
    chunks: readonly Bytes[],
  ): Promise<void> {
    const order = ofHex(id, 20);
    const evidence_hash = hexOf(await H("evidence", order, a, ofHex(sealed.package_root, 32)));
    await this.ledger.once("claim", { "@type": "data.claim", order: id, evidence_hash });
    const claimed = await this.reach(id, "claimed", "upheld", "rejected");
    for (const member of claimed.panel ?? []) {
      try {
        await this.bring(id, member, a, chunks);
        this.say(`evidence is with ${member}`);
      } catch (error) {
        const { phase } = await this.reach(id, "claimed", "upheld", "rejected");
        if (phase !== "claimed") return; // two votes decide: a third is not asked any more
        this.say(`bring the evidence to ${member} yourself: ${String(error)}`);
      }
    }
  }

  private async bring(
    id: string,
    member: string,
    a: Bytes,
    chunks: readonly Bytes[],
  ): Promise<void> {
    const address = this.wanted.panel?.[member];
    if (address === undefined) throw new Error("no address of it is told");
    const statement = new TextDecoder().decode(await ask(new URL("/v1/key", address).href));
    const key = await exchangeKeyOf(this.ledger, member, statement);
    const body = await sealEvidence(ofHex(id, 20), a, chunks, key);
    const panel = new Service(address, this.signer, this.wanted.buyer);
    const contentType = "application/octet-stream";
    await panel.ask(`/v1/evidence/${id}`, { method: "PUT", body, contentType });
  }
}

function isOver(batch: Batch): boolean {
  return batch.superseded === true || batch.retired === true;
}
