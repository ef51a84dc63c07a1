/** Generated from the modules by `make reference`: change those, not this file. */

/** ^[0-9a-f]{40}$ */
export type Address = string;

/** Decimal text with exactly the decimals of its asset. */
export type Amount = string;

/** ^[A-Z][A-Z0-9]{0,11}$ */
export type AssetCode = string;

/** ^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$ */
export type AssetId = string;

/** 0 to 9007199254740991 */
export type Count = number;

/** ^[0-9a-f]{64}$ */
export type Hash = string;

/** ^[0-9a-f]{40}$ */
export type Id = string;

/** ^[a-z][a-z0-9_]{0,47}$ */
export type Name = string;

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

/** Who may sign for an address. A closed account keeps its row, without keys, and its heir. */
export interface Account {
  readonly "@version": 1;
  readonly keys?: readonly WeightedKey[];
  readonly ordinary?: Small;
  readonly sensitive?: Small;
  readonly lanes?: Small;
  readonly closed_into?: Address;
}

/** What an asset is: decimals, most that may be issued, and a hash of its published terms. */
export interface AssetDefinition {
  readonly "@version": 1;
  readonly issuer: Address;
  readonly scale: Small;
  readonly cap?: Amount;
  readonly metadata_hash?: Hash;
}

/** How much of an asset was issued and not redeemed. */
export interface AssetSupply {
  readonly "@version": 1;
  readonly issued: Amount;
}

/** What one account or vault owns of one asset; there is no row for nothing. */
export interface AssetHolding {
  readonly "@version": 1;
  readonly amount: Amount;
}

/** An external reference that was used: what was issued to whom, or redeemed by whom. */
export interface AssetSettled {
  readonly "@version": 1;
  readonly amount: Amount;
  readonly account: Address;
  readonly redeemed?: boolean;
}

/** Value the vault owns on behalf of a payer. */
export interface Hold {
  readonly "@version": 1;
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly expires_at: Time;
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
  | UpgradeCancel;

/** The names of tables, by the numbers of module and table. */
export const TABLES: Readonly<Record<string, string>> = {
  "0.1": "kernel.nonces",
  "0.2": "kernel.marks",
  "0.3": "kernel.parameters",
  "0.4": "kernel.features",
  "0.5": "kernel.upgrades",
  "1.1": "account.accounts",
  "2.1": "asset.definitions",
  "2.2": "asset.supplies",
  "2.3": "asset.holdings",
  "2.4": "asset.settled",
  "7.1": "hold.holds",
};

/** What the parts of their keys are: `id`, `integer`, or the pattern of a text. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  "0.1": ["id", "integer"],
  "0.2": ["integer", "integer", "^([0-9a-f]{2}){1,240}$"],
  "0.3": ["^[a-z][a-z0-9_]{0,23}[.][a-z][a-z0-9_]{0,47}$"],
  "0.4": ["^[a-z][a-z0-9_]{0,23}[.][a-z][a-z0-9_]{0,47}$"],
  "0.5": ["integer"],
  "1.1": ["id"],
  "2.1": ["^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$"],
  "2.2": ["^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$"],
  "2.3": ["id", "^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$"],
  "2.4": ["^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$", "^[A-Za-z0-9-]{1,35}$"],
  "7.1": ["id"],
};

/** Why a transaction is invalid, or refused by a module: numbers by name. */
export const WHY = {
  invalid: {
    TRANSACTION_IS_TOO_LARGE: 1,
    ENVELOPE_IS_MALFORMED: 2,
    ENVELOPE_IS_NOT_CANONICAL: 3,
    BASE64_IS_NOT_CANONICAL: 4,
    HEADER_IS_NOT_ALLOWED: 5,
    SIGNATURES_ARE_NOT_SORTED: 6,
    PAYLOAD_IS_MALFORMED: 7,
    PAYLOAD_IS_NOT_CANONICAL: 8,
    CHAIN_IS_ANOTHER: 9,
    EXPIRY_HAS_PASSED: 10,
    EXPIRY_IS_TOO_FAR: 11,
    SENDER_IS_UNKNOWN: 12,
    SPONSOR_IS_UNKNOWN: 13,
    LANE_IS_NOT_DECLARED: 14,
    NONCE_WAS_USED: 15,
    NONCE_IS_TOO_OLD: 16,
    NONCE_IS_TOO_FAR: 17,
    THRESHOLD_IS_NOT_MET: 18,
    NEW_KEY_HAS_NOT_SIGNED: 19,
    SPONSOR_HAS_NOT_SIGNED: 20,
    SIGNATURE_IS_NOT_ASKED_FOR: 21,
    SIGNATURE_IS_WRONG: 22,
    MESSAGE_IS_NOT_LAST: 23,
  },
  kernel: {
    TRANSACTION_WORK_IS_SPENT: 100,
    BLOCK_WORK_IS_SPENT: 101,
    CONSERVATION_IS_BROKEN: 102,
    ID_IS_TAKEN: 103,
    UPGRADE_IS_EMPTY: 104,
    UPGRADE_IS_TOO_SOON: 105,
    UPGRADE_IS_SCHEDULED: 106,
    UPGRADE_NAME_IS_DOUBLED: 107,
    MODULE_IS_ANOTHER: 108,
    MODULE_CHANGE_WAITS: 109,
    FEATURE_BEGINS_ONCE: 110,
    UPGRADE_NOT_FOUND: 111,
  },
  account: {
    KEY_IS_DOUBLED: 1001,
    ALGORITHM_IS_NOT_SUPPORTED: 1002,
    KEY_IS_NOT_ACCEPTABLE: 1003,
    WEIGHT_IS_ZERO: 1004,
    THRESHOLD_IS_OUT_OF_REACH: 1005,
    TOO_MANY_KEYS: 1006,
    KEY_NOT_FOUND: 1007,
    LANES_OUT_OF_RANGE: 1008,
    HEIR_NOT_FOUND: 1009,
  },
  asset: {
    ASSET_IS_DEFINED: 2001,
    SCALE_IS_TOO_LARGE: 2002,
    ASSET_NOT_FOUND: 2003,
    DECIMALS_DIFFER: 2004,
    AMOUNT_IS_ZERO: 2005,
    SENDER_IS_NOT_ISSUER: 2006,
    REFERENCE_WAS_USED: 2007,
    CAP_IS_EXCEEDED: 2008,
    PAYER_HAS_NOT_AGREED: 2009,
    VAULT_IS_CLOSED: 2010,
    PAYEE_NOT_FOUND: 2011,
    PAYEE_IS_PAYER: 2012,
    BALANCE_IS_TOO_LOW: 2013,
    ISSUER_CANNOT_CLOSE: 2014,
    TOO_MANY_HOLDINGS: 2015,
  },
  hold: {
    AMOUNT_IS_ZERO: 7001,
    EXPIRY_HAS_PASSED: 7002,
    HOLD_NOT_FOUND: 7003,
    HOLD_HAS_EXPIRED: 7004,
    SENDER_IS_NOT_PAYEE: 7005,
    PAYEE_NOT_FOUND: 7006,
    PAYER_CANNOT_CLOSE: 7007,
  },
  upgrade: {
    SIGNER_IS_NOT_AUTHORITY: 3001,
  },
} as const;
