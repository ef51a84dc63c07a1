/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Key,
  PublicKey,
  Small,
  WeightedKey,
} from "./values.js";

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
