/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Id,
  Key,
  PublicKey,
  Small,
  WeightedKey,
} from "./values.js";

/** Take back what the sender's account waits to change: keys, thresholds, guardians, closing. */
export interface AccountCancelChange {
  readonly "@type": "account.cancel_change";
}

/**
 * Name who may recover the sender's account, and how many must agree; nobody, and 0 of them. Where
 * there are guardians already, the change waits as one of keys does.
 */
export interface AccountSetGuardians {
  readonly "@type": "account.set_guardians";
  readonly guardians: readonly Address[];
  readonly threshold: Small;
}

/** Ask, as one of its guardians, that an account gets other keys; these keys sign too. */
export interface AccountProposeRecovery {
  readonly "@type": "account.propose_recovery";
  readonly account: Address;
  readonly keys: readonly WeightedKey[];
  readonly ordinary: Small;
  readonly sensitive: Small;
}

/** Agree, as another guardian, to what one has asked for. */
export interface AccountApproveRecovery {
  readonly "@type": "account.approve_recovery";
  readonly recovery: Id;
}

/**
 * End a recovery of the sender's account. `older` is for the 30 days after one was carried out:
 * keys from before it, which sign too.
 */
export interface AccountVetoRecovery {
  readonly "@type": "account.veto_recovery";
  readonly recovery: Id;
  readonly older?: readonly PublicKey[];
}

/**
 * Open an account for keys that sign too; its id is derived and never changes. `under` lists it
 * among the sender's own: a till, a desk, a fund of an institution.
 */
export interface AccountOpen {
  readonly "@type": "account.open";
  readonly keys: readonly WeightedKey[];
  readonly ordinary: Small;
  readonly sensitive: Small;
  readonly lanes: Small;
  readonly under?: boolean;
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

/** Say whether payments to the sender must carry a reference, so that they can be told apart. */
export interface AccountSetIncoming {
  readonly "@type": "account.set_incoming";
  readonly needs_reference?: boolean;
}

/** Close the sender's account for ever; what it owns goes to the heir. */
export interface AccountClose {
  readonly "@type": "account.close";
  readonly heir: Address;
}
