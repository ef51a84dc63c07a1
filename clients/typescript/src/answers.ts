/** What a node says: times in ms UTC, ids and hashes in hex. Later nodes may say more. */

import type { Json, JsonObject } from "./json.js";

/**
 * The chain and its last block. `now` is the time that a block made now would carry.
 *
 * The node has the bodies of blocks from `first_block` on.
 */
export interface ChainAnswer {
  readonly chain: string;
  readonly version: string;
  readonly engine: string;
  readonly read_policy: string;
  readonly height: number;
  readonly time: number;
  readonly now: number;
  readonly state_root: string;
  readonly rows: number;
  readonly first_block?: number;
}

/** The receipt that a block commits to. `message` is the index of the message that was refused. */
export interface Receipt {
  readonly outcome: "applied" | "refused";
  readonly number?: number;
  readonly message?: number;
  /** The ids of things that were made, in order. */
  readonly ids?: readonly string[];
  readonly events?: readonly JsonObject[];
}

/** A transaction that happened. */
export interface Applied {
  readonly id: string;
  readonly height: number;
  readonly index: number;
  readonly receipt: Receipt;
}

/** What became of one submitted transaction. */
export interface SubmitAnswer {
  readonly state: "applied" | "refused" | "invalid" | "pending" | "not taken";
  readonly id?: string;
  readonly height?: number;
  readonly index?: number;
  readonly number?: number;
  readonly why?: string;
  readonly receipt?: Receipt;
}

/** What a payload would do in a block made now. */
export interface DryRun {
  readonly outcome: "applied" | "refused" | "invalid";
  readonly number: number;
  readonly why: string;
  readonly receipt: Receipt;
}

/**
 * What is known of a transaction id, and what was signed once a block holds it.
 *
 * `never`: it is certain that it never happens, as its `expires`, which the asker told, is past.
 * Where its block was pruned, `transaction`, `payload` and `receipt` are absent.
 */
export interface Status {
  readonly state: "applied" | "refused" | "pending" | "unknown";
  readonly time: number;
  readonly never?: boolean;
  readonly height?: number;
  readonly index?: number;
  readonly number?: number;
  readonly why?: string;
  readonly transaction?: string;
  readonly payload?: JsonObject;
  readonly receipt?: Receipt;
}

/** What a query or a row is, and the height at which that is true. */
export interface Found<Value> {
  readonly height: number;
  readonly value: Value | null;
}

/** Some rows of a query, and the cursor of the next page, null on the last. */
export interface Page<Key, Value> {
  readonly height: number;
  readonly rows: readonly { readonly key: Key; readonly value: Value }[];
  readonly after: string | null;
}

/** One thing that a block did: a transaction, or (without an id) its due work. */
export interface Happening {
  /** A stream that is asked to go on after it begins with the next. */
  readonly cursor: string;
  readonly height: number;
  readonly time: number;
  readonly id?: string;
  /** 0 or absent when applied, else the refusal's. */
  readonly number?: number;
  readonly sender?: string;
  readonly messages?: readonly JsonObject[];
  readonly receipt: JsonObject;
}

/** A problem document (RFC 9457). `number` is a reason's, documented at `type`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly number?: number;
  readonly id?: string;
  readonly height?: number;
  readonly index?: number;
  readonly [extension: string]: Json | undefined;
}
