/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Amount,
  AssetId,
  Id,
  PeriodMs,
  Reference,
  Time,
} from "./values.js";

/** Let a holder pay out of what the sender owns: so much in all and, where told, each period. */
export interface MandateGrant {
  readonly "@type": "mandate.grant";
  readonly holder: Address;
  readonly asset: AssetId;
  readonly total: Amount;
  readonly expires_at: Time;
  readonly each_period?: Amount;
  readonly period_ms?: PeriodMs;
}

/** End a mandate that the sender has granted, at once. */
export interface MandateRevoke {
  readonly "@type": "mandate.revoke";
  readonly mandate: Id;
}

/** Pay by a mandate that the sender holds, out of what its owner owns. */
export interface MandateCollect {
  readonly "@type": "mandate.collect";
  readonly mandate: Id;
  readonly amount: Amount;
  readonly payee: Address;
  readonly reference?: Reference;
}
