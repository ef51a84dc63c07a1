/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  Address,
  Counted,
  Hash,
  Id,
  Small,
  Time,
} from "./values.js";

/**
 * State on which basis a supervisor, the sender, reads what is an account's, until a time.
 * `basis_hash` is the salted hash of the file or order that it goes by: no name, and no number.
 */
export interface ReadingOpenInspection {
  readonly "@type": "reading.open_inspection";
  readonly account: Address;
  readonly reason: Small;
  readonly basis_hash: Hash;
  readonly until: Time;
}

/** End an inspection of the sender's before its time. */
export interface ReadingCloseInspection {
  readonly "@type": "reading.close_inspection";
  readonly inspection: Id;
}

/**
 * Record what was read of others' data at a node; the sender acts for an operator. `batch` is the
 * node's own for these reads and no others: sent again, it counts once.
 */
export interface ReadingRecordReads {
  readonly "@type": "reading.record_reads";
  readonly batch: Hash;
  readonly reads: readonly Counted[];
}
