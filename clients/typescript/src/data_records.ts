/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  Ask,
  AssetId,
  Chunks,
  Count,
  DailyCap,
  Field,
  Hash,
  Id,
  Lasting,
  Method,
  Mode,
  Nonce,
  Period,
  Phase,
  PublicKey,
  Purpose,
  Region,
  Schema,
  Time,
  Verdict,
  Version,
  Volume,
} from "./values.js";

/** The fields of a schema, in its order. */
export interface DataDefinition {
  readonly "@version": 1;
  readonly fields: readonly Field[];
}

/** What an enterprise may ask for; when it was last suspended, and registered again after. */
export interface DataEnterprise {
  readonly "@version": 1;
  readonly region: Region;
  readonly purposes: readonly Purpose[];
  readonly asks: readonly Ask[];
  readonly suspended?: boolean;
  readonly suspended_at?: Time;
  readonly restored_at?: Time;
}

/**
 * How, how much and with which bond a source attests batches of a schema. `keys` could sign alone
 * for it when it was admitted or committed, the latest last.
 */
export interface DataSource {
  readonly "@version": 1;
  readonly method: Method;
  readonly volume: Volume;
  readonly asset: AssetId;
  readonly bond: Amount;
  readonly keys?: readonly PublicKey[];
}

/** What a source or agent has posted, and how much of it is reserved. */
export interface DataBond {
  readonly "@version": 1;
  readonly amount: Amount;
  readonly reserved: Amount;
}

/** A commitment to a month's rows; it is live until a version supersedes it or it is retired. */
export interface DataBatch {
  readonly "@version": 1;
  readonly source: Address;
  readonly owner: Address;
  readonly subject: Hash;
  readonly schema: Schema;
  readonly period: Period;
  readonly version: Version;
  readonly commitment: Hash;
  readonly method: Method;
  readonly supersedes?: Id;
  readonly superseded?: boolean;
  readonly retired?: boolean;
}

/** The batch that has a commitment, or is one source's version of a month. */
export interface DataNamed {
  readonly "@version": 1;
  readonly batch: Id;
}

/** How many batches a source has committed about one month. */
export interface DataCommitted {
  readonly "@version": 1;
  readonly batches: Count;
}

/** A standing policy of an owner; `used` of its cap on `day`, in days since 1970. */
export interface DataOffer {
  readonly "@version": 1;
  readonly owner: Address;
  readonly schema: Schema;
  readonly fields: readonly Field[];
  readonly purposes: readonly Purpose[];
  readonly mode: Mode;
  readonly regions: readonly Region[];
  readonly retention_ms: Lasting;
  readonly asset: AssetId;
  readonly price: Amount;
  readonly floor: Amount;
  readonly daily_cap: DailyCap;
  readonly expires_at: Time;
  readonly agent?: Address;
  readonly day?: Count;
  readonly used?: Count;
}

/**
 * One grant to one buyer for one purpose, from its request to its end. `deadline` is that of its
 * phase, as it was when the phase began; since then it has grown by what the clock has gained over
 * `grown`. `secured` is reserved of the sealing agent's bond. A claim is `late` when its panel has
 * not decided in time.
 */
export interface DataOrder {
  readonly "@version": 1;
  readonly buyer: Address;
  readonly owner: Address;
  readonly schema: Schema;
  readonly fields: readonly Field[];
  readonly purpose: Purpose;
  readonly mode: Mode;
  readonly batches: readonly Id[];
  readonly asset: AssetId;
  readonly price: Amount;
  readonly fee: Amount;
  readonly deletion_bond: Amount;
  readonly request_hash: Hash;
  readonly buyer_key: PublicKey;
  readonly delete_by: Time;
  readonly phase: Phase;
  readonly deadline: Time;
  readonly grown: Count;
  readonly asked_at: Time;
  readonly seller?: Address;
  readonly offer?: Id;
  readonly grant_hash?: Hash;
  readonly package_root?: Hash;
  readonly chunks?: Chunks;
  readonly a_commit?: Hash;
  readonly b_lock?: Hash;
  readonly secured?: Amount;
  readonly sealed_at?: Time;
  readonly nonce?: Nonce;
  readonly confirmed_at?: Time;
  readonly frozen_until?: Time;
  readonly b?: Hash;
  readonly revealed_at?: Time;
  readonly evidence_hash?: Hash;
  readonly deposit?: Amount;
  readonly panel?: readonly Address[];
  readonly votes?: readonly Verdict[];
  readonly late?: boolean;
  readonly ended_at?: Time;
}

/** The order that has used a buyer's key. */
export interface DataUsed {
  readonly "@version": 1;
  readonly order: Id;
}

/**
 * What a buyer keeps, until when, and the bond that it deletes it then. `next_at` is when the
 * network is seen next, to know whether it stood still.
 */
export interface DataLicence {
  readonly "@version": 1;
  readonly order: Id;
  readonly buyer: Address;
  readonly owner: Address;
  readonly asset: AssetId;
  readonly bond: Amount;
  readonly delete_by: Time;
  readonly next_at: Time;
}

/** Orders under way of a buyer or seller, and how many it has let lapse. */
export interface DataParty {
  readonly "@version": 1;
  readonly open?: Count;
  readonly lapses?: Count;
}

/** What somebody has earned and not pulled yet. */
export interface DataEarning {
  readonly "@version": 1;
  readonly amount: Amount;
}

/** Since when an adjudicator can be called. */
export interface DataServing {
  readonly "@version": 1;
  readonly since: Time;
}

/** When the module last saw a block, and how much all gaps until then came to, in ms. */
export interface DataClock {
  readonly "@version": 1;
  readonly seen_at: Time;
  readonly next_at: Time;
  readonly open: Count;
  readonly grown: Count;
}

/** When, and by whom, a source was shown to have signed two contents of one month. */
export interface DataProven {
  readonly "@version": 1;
  readonly at: Time;
  readonly by: Address;
}
