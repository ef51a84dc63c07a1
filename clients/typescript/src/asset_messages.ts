/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  AssetCode,
  AssetId,
  Flag,
  Hash,
  Reference,
  Scope,
  Small,
  Time,
} from "./values.js";

/** Define the asset `CODE.sender`; what is fixed here never changes. */
export interface AssetDefine {
  readonly "@type": "asset.define";
  readonly code: AssetCode;
  readonly scale: Small;
  readonly cap?: Amount;
  readonly metadata_hash?: Hash;
}

/** Create value of the sender's asset for an account, against an external reference. */
export interface AssetIssue {
  readonly "@type": "asset.issue";
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly payee: Address;
  readonly reference: Reference;
}

/** Retire value of the sender's asset that the sender holds, against an external reference. */
export interface AssetRedeem {
  readonly "@type": "asset.redeem";
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly reference: Reference;
}

/** Pay: move the sender's value to another account. */
export interface AssetTransfer {
  readonly "@type": "asset.transfer";
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly payee: Address;
  readonly reference?: Reference;
  readonly remittance_hash?: Hash;
}

/** Switch powers over the sender's asset on or off, and lock some for ever as they then are. */
export interface AssetSetFlags {
  readonly "@type": "asset.set_flags";
  readonly asset: AssetId;
  readonly switch_on?: readonly Flag[];
  readonly switch_off?: readonly Flag[];
  readonly lock?: readonly Flag[];
}

/** Let an account hold the sender's asset, where that needs authorisation. */
export interface AssetAuthorise {
  readonly "@type": "asset.authorise";
  readonly asset: AssetId;
  readonly account: Address;
}

/** Let an account hold the sender's asset no more; what it holds stays where it is. */
export interface AssetDeauthorise {
  readonly "@type": "asset.deauthorise";
  readonly asset: AssetId;
  readonly account: Address;
  readonly reason: Small;
  readonly basis_hash?: Hash;
}

/**
 * Limit one account's holding of the sender's asset or, without an account, everybody's. Without a
 * limit, the one that there was ends. An account's own limit goes before everybody's.
 */
export interface AssetSetLimit {
  readonly "@type": "asset.set_limit";
  readonly asset: AssetId;
  readonly reason: Small;
  readonly account?: Address;
  readonly limit?: Amount;
  readonly basis_hash?: Hash;
}

/**
 * Stop a holding until a time: as the asset's issuer, or as a supervisor. It takes the place of the
 * freeze that the issuer, or a supervisor, had put on it before.
 */
export interface AssetFreeze {
  readonly "@type": "asset.freeze";
  readonly asset: AssetId;
  readonly account: Address;
  readonly scope: Scope;
  readonly reason: Small;
  readonly until: Time;
  readonly as_supervisor?: boolean;
  readonly basis_hash?: Hash;
}

/** End a freeze: the issuer the issuer's, any supervisor that of supervisors. */
export interface AssetUnfreeze {
  readonly "@type": "asset.unfreeze";
  readonly asset: AssetId;
  readonly account: Address;
  readonly as_supervisor?: boolean;
}

/** Take value of the sender's asset back out of a holding, into the sender's own. */
export interface AssetClawBack {
  readonly "@type": "asset.claw_back";
  readonly asset: AssetId;
  readonly account: Address;
  readonly amount: Amount;
  readonly reason: Small;
  readonly basis_hash?: Hash;
}
