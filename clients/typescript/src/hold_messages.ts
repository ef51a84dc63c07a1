/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  AssetId,
  Hash,
  Id,
  Small,
  Time,
} from "./values.js";

/** Set the sender's value aside for a payee; the new hold's id is derived. */
export interface HoldPlace {
  readonly "@type": "hold.place";
  readonly payee: Address;
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly expires_at: Time;
}

/** Pay an open hold out to its payee: all of it, or an amount; what is left stays on hold. */
export interface HoldCapture {
  readonly "@type": "hold.capture";
  readonly hold: Id;
  readonly amount?: Amount;
}

/** Give an open hold for the sender back to its payer. */
export interface HoldRelease {
  readonly "@type": "hold.release";
  readonly hold: Id;
}

/** Let an open hold of the sender's expire later. */
export interface HoldExtend {
  readonly "@type": "hold.extend";
  readonly hold: Id;
  readonly expires_at: Time;
}

/**
 * Give an open hold of the sender's own asset back to its payer, where the asset has clawback. What
 * is on hold can't be clawed back; what came back can.
 */
export interface HoldRecall {
  readonly "@type": "hold.recall";
  readonly hold: Id;
  readonly reason: Small;
  readonly basis_hash?: Hash;
}
