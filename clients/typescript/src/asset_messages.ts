/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  AssetCode,
  AssetId,
  Hash,
  Reference,
  Small,
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
