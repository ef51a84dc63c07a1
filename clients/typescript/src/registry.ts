/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  AddAccount,
  AddOperator,
  Address,
  AdmitMember,
  AdmitPeer,
  Amount,
  AssetCode,
  AssetId,
  CancelUpgrade,
  Choice,
  Count,
  Delay,
  EndMembership,
  GrantPermission,
  GrantRole,
  Halt,
  Hash,
  Id,
  Key,
  ModuleLine,
  OpenPermission,
  PublicKey,
  ReadmitMember,
  Reference,
  RemoveAccount,
  RemoveOperator,
  RemovePeer,
  RemoveValidator,
  Resume,
  RevokePermission,
  RevokeRole,
  ScheduleUpgrade,
  SetDelay,
  SetParameter,
  SetThreshold,
  SetValidator,
  SettingName,
  Small,
  SuspendMember,
  Time,
  WeightedKey,
} from "./values.js";
export * from "./records.js";
export * from "./tables.js";
export * from "./values.js";

/** Open an account for keys that sign too; its id is derived and never changes. */
export interface AccountOpen {
  readonly "@type": "account.open";
  readonly keys: readonly WeightedKey[];
  readonly ordinary: Small;
  readonly sensitive: Small;
  readonly lanes: Small;
}

/** Add a key, which signs too, to the sender's keys. */
export interface AccountAddKey {
  readonly "@type": "account.add_key";
  readonly added: WeightedKey;
}

/** Put a new key, which signs too, in the place and with the weight of an old one. */
export interface AccountRotateKey {
  readonly "@type": "account.rotate_key";
  readonly old: PublicKey;
  readonly new: Key;
}

/** Remove one of the sender's keys; those left must still reach both thresholds. */
export interface AccountRemoveKey {
  readonly "@type": "account.remove_key";
  readonly removed: PublicKey;
}

/** Set the weight that ordinary and sensitive transactions of the sender need. */
export interface AccountSetThresholds {
  readonly "@type": "account.set_thresholds";
  readonly ordinary: Small;
  readonly sensitive: Small;
}

/** Declare more lanes, each with nonces of its own, for many transactions side by side. */
export interface AccountSetLanes {
  readonly "@type": "account.set_lanes";
  readonly lanes: Small;
}

/** Close the sender's account for ever; what it owns goes to the heir. */
export interface AccountClose {
  readonly "@type": "account.close";
  readonly heir: Address;
}

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

/** Set the sender's value aside for a payee; the new hold's id is derived. */
export interface HoldPlace {
  readonly "@type": "hold.place";
  readonly payee: Address;
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly expires_at: Time;
}

/** Pay an open hold out to its payee. */
export interface HoldCapture {
  readonly "@type": "hold.capture";
  readonly hold: Id;
}

/** From a height on, modules have this code and features begin; the authority signs too. */
export interface UpgradeSchedule {
  readonly "@type": "upgrade.schedule";
  readonly authority: PublicKey;
  readonly height: Count;
  readonly modules?: readonly ModuleLine[];
  readonly features?: readonly SettingName[];
}

/** Take back an upgrade that has not begun; the authority signs it too. */
export interface UpgradeCancel {
  readonly "@type": "upgrade.cancel";
  readonly authority: PublicKey;
  readonly height: Count;
}

/** Name the first operators of a chain that has none; the authority signs too. */
export interface GovernanceFound {
  readonly "@type": "governance.found";
  readonly authority: PublicKey;
  readonly operators: readonly Address[];
  readonly threshold: Small;
  readonly delay_ms: Delay;
}

/** Propose changes to the operators, and approve them; the proposal's id is derived. */
export interface GovernancePropose {
  readonly "@type": "governance.propose";
  readonly actions: readonly (
    | SetValidator
    | RemoveValidator
    | AdmitPeer
    | RemovePeer
    | SetParameter
    | ScheduleUpgrade
    | CancelUpgrade
    | AddOperator
    | RemoveOperator
    | SetThreshold
    | SetDelay
    | AdmitMember
    | SuspendMember
    | ReadmitMember
    | EndMembership
    | GrantRole
    | RevokeRole
    | AddAccount
    | RemoveAccount
    | GrantPermission
    | RevokePermission
    | OpenPermission
    | Halt
    | Resume
  )[];
  readonly closes_at: Time;
}

/** Approve or reject an open proposal, once and for all. */
export interface GovernanceVote {
  readonly "@type": "governance.vote";
  readonly proposal: Id;
  readonly choice: Choice;
}

/** Take back a proposal of the sender's that is not carried out yet. */
export interface GovernanceCancel {
  readonly "@type": "governance.cancel";
  readonly proposal: Id;
}

/** Every message of the modules here. */
export type Message =
  | AccountOpen
  | AccountAddKey
  | AccountRotateKey
  | AccountRemoveKey
  | AccountSetThresholds
  | AccountSetLanes
  | AccountClose
  | AssetDefine
  | AssetIssue
  | AssetRedeem
  | AssetTransfer
  | HoldPlace
  | HoldCapture
  | UpgradeSchedule
  | UpgradeCancel
  | GovernanceFound
  | GovernancePropose
  | GovernanceVote
  | GovernanceCancel;
