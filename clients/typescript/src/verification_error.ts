/** What can be wrong with a proof: the numbers and advice of the ledger's own verifier. */

const FINDINGS = {
  PROOF_IS_UNREADABLE: [1, "this is not a proof file of format 1; ask for it again"],
  TRUST_IS_UNREADABLE: [2, "this is not a trust file; get it from somebody you trust"],
  ENGINE_IS_ANOTHER: [3, "the trust file is for another engine"],
  HEADER_IS_WRONG: [4, "the header is damaged or its signature is wrong; don't believe the proof"],
  SIGNER_IS_NOT_TRUSTED: [5, "the header's signer is not in the trust file"],
  CHAIN_IS_ANOTHER: [6, "the header is of another chain than the trust file"],
  ROW_IS_NOT_PROVEN: [7, "the row is not what the header commits to; don't believe the proof"],
  TRANSACTION_IS_NOT_PROVEN: [8, "the transaction or receipt is not in the block"],
  NAME_IS_WRONG: [9, "the proof gives the row's table another name than it has"],
  // What only a client that checks a node's answers finds: so far the one in Python.
  ANSWER_IS_NOT_PROVEN: [
    10,
    "the proof is of something else than was answered; ask another node",
  ],
  STATE_IS_OLDER: [11, "the node shows an older state than it has shown; ask another node"],
  CANNOT_BE_PROVEN: [12, "no proof exists for this; ask a client without a trust file"],
  HEADER_IS_AHEAD: [
    13,
    "the header's time lies far ahead of this computer's; check its clock",
  ],
  HEADERS_DIFFER: [
    14,
    "two different headers of one height are signed; show both to a supervisor",
  ],
} as const;

/** The name of what is wrong. */
export type Finding = keyof typeof FINDINGS;

/** A proof that proves nothing. */
export class VerificationError extends Error {
  override readonly name = "VerificationError";
  /** The finding's number, the same in every verifier. */
  readonly number: number;

  /** Carry the finding and what exactly was found. */
  constructor(
    readonly finding: Finding,
    detail = "",
  ) {
    const [number, advice] = FINDINGS[finding];
    super(`${finding} (${number}): ${advice}${detail === "" ? "" : ` [${detail}]`}`);
    this.number = number;
  }
}
