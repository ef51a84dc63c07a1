/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Lasts,
  Share,
  Time,
} from "./values.js";

/**
 * Stand for an account from now on; for one that another sponsor pays for, offer to. A later grant
 * takes the place of the sender's earlier one. Without `share` the account may spend all that the
 * sender has.
 */
export interface SponsorGrant {
  readonly "@type": "sponsor.grant";
  readonly account: Address;
  readonly expires_at?: Time;
  readonly share?: Share;
}

/** Stand for an account no more, from the next transaction on; or take an offer back. */
export interface SponsorRevoke {
  readonly "@type": "sponsor.revoke";
  readonly account: Address;
}

/** Stand from now on for every account that the sender opens. */
export interface SponsorSetTerms {
  readonly "@type": "sponsor.set_terms";
  readonly lasts_ms?: Lasts;
  readonly share?: Share;
}

/** Stand no more for accounts that the sender opens from now on. */
export interface SponsorEndTerms {
  readonly "@type": "sponsor.end_terms";
}

/** Take the offer of a sponsor: it pays from the next transaction on, in another's place. */
export interface SponsorTake {
  readonly "@type": "sponsor.take";
  readonly by: Address;
}

/** Be stood for no more by the sponsor of now. */
export interface SponsorLeave {
  readonly "@type": "sponsor.leave";
}
