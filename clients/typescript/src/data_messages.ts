/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  Ask,
  AssetId,
  Chunks,
  DailyCap,
  Field,
  Hash,
  Id,
  Lasting,
  Method,
  Mode,
  Nonce,
  Period,
  PublicKey,
  Purpose,
  Region,
  Schema,
  SignedText,
  Small,
  Time,
  Verdict,
  Version,
  Volume,
} from "./values.js";

/** Add to the sender's bond, as a source or an agent. */
export interface DataPostBond {
  readonly "@type": "data.post_bond";
  readonly asset: AssetId;
  readonly amount: Amount;
}

/** Take back what is free of the sender's bond. */
export interface DataWithdrawBond {
  readonly "@type": "data.withdraw_bond";
  readonly asset: AssetId;
  readonly amount: Amount;
}

/** Take what the sender has earned. */
export interface DataPull {
  readonly "@type": "data.pull";
  readonly asset: AssetId;
}

/** Let rows of a kind be traded; a registrar says so, once and for all. */
export interface DataDefineSchema {
  readonly "@type": "data.define_schema";
  readonly schema: Schema;
  readonly fields: readonly Field[];
  readonly sensitive?: boolean;
}

/** Let an enterprise ask for fields, for purposes; a registrar says so, also to change it. */
export interface DataRegisterEnterprise {
  readonly "@type": "data.register_enterprise";
  readonly enterprise: Address;
  readonly region: Region;
  readonly purposes: readonly Purpose[];
  readonly asks: readonly Ask[];
}

/** Let an enterprise ask and be given no more, until a registrar registers it again. */
export interface DataSuspendEnterprise {
  readonly "@type": "data.suspend_enterprise";
  readonly enterprise: Address;
}

/** Let a source attest batches of a schema; its bond is reserved out of what it has posted. */
export interface DataAdmitSource {
  readonly "@type": "data.admit_source";
  readonly source: Address;
  readonly schema: Schema;
  readonly method: Method;
  readonly volume: Volume;
  readonly asset: AssetId;
  readonly bond: Amount;
}

/** Let a source attest batches of a schema no more; its bond is free again. */
export interface DataEndSource {
  readonly "@type": "data.end_source";
  readonly source: Address;
  readonly schema: Schema;
}

/** An adjudicator can be called to panels from now on, or no more. */
export interface DataServe {
  readonly "@type": "data.serve";
  readonly serves?: boolean;
}

/** Commit to a month's rows of a person: a source, or the person itself (`self`). */
export interface DataCommit {
  readonly "@type": "data.commit";
  readonly owner: Address;
  readonly subject: Hash;
  readonly schema: Schema;
  readonly period: Period;
  readonly version: Version;
  readonly commitment: Hash;
  readonly method: Method;
  readonly supersedes?: Id;
}

/** Let a batch of the sender's be sold no more: it is erased, or not the sender's to sell. */
export interface DataRetire {
  readonly "@type": "data.retire";
  readonly batch: Id;
}

/** The buyer says that the package is faulty, and sets a deposit aside; a panel decides. */
export interface DataClaim {
  readonly "@type": "data.claim";
  readonly order: Id;
  readonly evidence_hash: Hash;
}

/** A member of the panel says what it found; after the deadline a supervisor says it alone. */
export interface DataVote {
  readonly "@type": "data.vote";
  readonly order: Id;
  readonly verdict: Verdict;
}

/** Tell what the sender's rows may be sold for, to whom and how often, and who seals for it. */
export interface DataMakeOffer {
  readonly "@type": "data.make_offer";
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
}

/** Take an offer of the sender's back, at once. */
export interface DataWithdrawOffer {
  readonly "@type": "data.withdraw_offer";
  readonly offer: Id;
}

/** The buyer has deleted what it got, and says so with the hash of its attestation. */
export interface DataAttestDeletion {
  readonly "@type": "data.attest_deletion";
  readonly licence: Id;
  readonly attestation_hash: Hash;
}

/** Ask an owner for some fields of some batches, and set price and bond aside. */
export interface DataPlaceOrder {
  readonly "@type": "data.place_order";
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
  readonly seal_by: Time;
  readonly delete_by: Time;
}

/** Consent: the owner, or the agent of its offer, has a package and both halves of its key. */
export interface DataSeal {
  readonly "@type": "data.seal";
  readonly order: Id;
  readonly offer: Id;
  readonly grant_hash: Hash;
  readonly package_root: Hash;
  readonly chunks: Chunks;
  readonly a_commit: Hash;
  readonly b_lock: Hash;
}

/** The buyer has the package and `a`, and they are those that were sealed. */
export interface DataConfirm {
  readonly "@type": "data.confirm";
  readonly order: Id;
  readonly grant_hash: Hash;
  readonly package_root: Hash;
  readonly nonce: Nonce;
}

/** Publish `b`, which opens the package to who has `a`, and earns the money. */
export interface DataReveal {
  readonly "@type": "data.reveal";
  readonly order: Id;
  readonly b: Hash;
}

/** The buyer is content before the deadline. */
export interface DataAccept {
  readonly "@type": "data.accept";
  readonly order: Id;
}

/** The buyer takes an order back that it has not confirmed. */
export interface DataCancelOrder {
  readonly "@type": "data.cancel_order";
  readonly order: Id;
}

/** The owner does not sell, after all. */
export interface DataWithdrawOrder {
  readonly "@type": "data.withdraw_order";
  readonly order: Id;
}

/** A supervisor lets an order not be revealed until a time. */
export interface DataFreeze {
  readonly "@type": "data.freeze";
  readonly order: Id;
  readonly until: Time;
  readonly reason: Small;
}

/**
 * Show two attestations that say two things of one month: the source ends, and its bond goes.
 * Anybody may, and is paid nothing for it.
 */
export interface DataProveTwoContents {
  readonly "@type": "data.prove_two_contents";
  readonly first: SignedText;
  readonly second: SignedText;
}
