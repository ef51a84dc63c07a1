/** Generated from the modules by `make reference`: change those, not this file. */

export * from "./records.js";
export * from "./tables.js";

/** ^[0-9a-f]{40}$ */
export type Address = string;

/** Decimal text with exactly the decimals of its asset. */
export type Amount = string;

/** ^[A-Z][A-Z0-9]{0,11}$ */
export type AssetCode = string;

/** ^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$ */
export type AssetId = string;

/** ^(?:approve|reject)$ */
export type Choice = string;

/** 0 to 9007199254740991 */
export type Count = number;

/** 0 to 2592000000 */
export type Delay = number;

/** ^[0-9a-f]{64}$ */
export type Hash = string;

/** ^[0-9a-f]{40}$ */
export type Id = string;

/** ^[a-z][a-z0-9_]{0,47}$ */
export type Name = string;

/** ^[0-9a-f]{40}$ */
export type NodeId = string;

/** ^(?:open|approved|rejected|lapsed|cancelled|carried_out|failed)$ */
export type Phase = string;

/** 1 to 1000000 */
export type Power = number;

/** ^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$ */
export type PublicKey = string;

/** ^[A-Za-z0-9-]{1,35}$ */
export type Reference = string;

/** ^[a-z][a-z0-9_]{0,23}[.][a-z][a-z0-9_]{0,47}$ */
export type SettingName = string;

/** 0 to 65535 */
export type Small = number;

/** 0 to 9007199254740991 */
export type Time = number;

/** A public key and the algorithm it is for. */
export interface Key {
  readonly algorithm: Small;
  readonly public: PublicKey;
}

/** A key and what its signature counts towards a threshold. */
export interface WeightedKey {
  readonly key: Key;
  readonly weight: Small;
}

/** A module that decides on this chain: its code is that of `hash`, or a node won't start. */
export interface ModuleLine {
  readonly number: Small;
  readonly name: Name;
  readonly version: Small;
  readonly hash: Hash;
}

/** Let a key vote on blocks with this power. */
export interface SetValidator {
  readonly "@type": "governance.set_validator";
  readonly key: PublicKey;
  readonly power: Power;
}

/** Let a key vote on blocks no more. */
export interface RemoveValidator {
  readonly "@type": "governance.remove_validator";
  readonly key: PublicKey;
}

/** Let a node connect to those of the network. */
export interface AdmitPeer {
  readonly "@type": "governance.admit_peer";
  readonly node: NodeId;
}

/** Let a node connect no more. */
export interface RemovePeer {
  readonly "@type": "governance.remove_peer";
  readonly node: NodeId;
}

/** Set a parameter within its declared bounds. */
export interface SetParameter {
  readonly "@type": "governance.set_parameter";
  readonly name: SettingName;
  readonly value: Count;
}

/** From a height on, modules have this code and features begin. */
export interface ScheduleUpgrade {
  readonly "@type": "governance.schedule_upgrade";
  readonly height: Count;
  readonly modules?: readonly ModuleLine[];
  readonly features?: readonly SettingName[];
}

/** Take back an upgrade that has not begun. */
export interface CancelUpgrade {
  readonly "@type": "governance.cancel_upgrade";
  readonly height: Count;
}

/** Let one more account propose and vote. */
export interface AddOperator {
  readonly "@type": "governance.add_operator";
  readonly operator: Address;
}

/** Let an account propose and vote no more. */
export interface RemoveOperator {
  readonly "@type": "governance.remove_operator";
  readonly operator: Address;
}

/** Ask for so many approvals of the proposals to come. */
export interface SetThreshold {
  readonly "@type": "governance.set_threshold";
  readonly threshold: Small;
}

/** Wait so long before the proposals to come are carried out. */
export interface SetDelay {
  readonly "@type": "governance.set_delay";
  readonly delay_ms: Delay;
}

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
