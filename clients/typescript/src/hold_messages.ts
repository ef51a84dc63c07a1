/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  AssetId,
  Id,
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

/** Pay an open hold out to its payee. */
export interface HoldCapture {
  readonly "@type": "hold.capture";
  readonly hold: Id;
}
