"""What can be wrong with a proof, a trust file, or what a node answers; each has its number."""

from __future__ import annotations

from enum import Enum


class Finding(Enum):
    """What is wrong with a proof: number and advice."""

    PROOF_IS_UNREADABLE = 1, "this is not a proof file of format 1; ask for it again"
    TRUST_IS_UNREADABLE = 2, "this is not a trust file; get it from somebody you trust"
    ENGINE_IS_ANOTHER = 3, "the trust file is for another engine"
    HEADER_IS_WRONG = 4, "the header is damaged or its signature is wrong; don't believe the proof"
    SIGNER_IS_NOT_TRUSTED = 5, "the header's signer is not in the trust file"
    CHAIN_IS_ANOTHER = 6, "the header is of another chain than the trust file"
    ROW_IS_NOT_PROVEN = 7, "the row is not what the header commits to; don't believe the proof"
    TRANSACTION_IS_NOT_PROVEN = 8, "the transaction or receipt is not in the block"
    NAME_IS_WRONG = 9, "the proof gives the row's table another name than it has"
    ANSWER_IS_NOT_PROVEN = 10, "the proof is of something else than was answered; ask another node"
    STATE_IS_OLDER = 11, "the node shows an older state than it has shown; ask another node"
    CANNOT_BE_PROVEN = 12, "no proof exists for this; ask a client without a trust file"
    HEADER_IS_AHEAD = 13, "the header's time lies far ahead of this computer's; check its clock"
    HEADERS_DIFFER = 14, "two different headers of one height are signed; show both to a supervisor"
    TRUST_IS_OLD = 15, "the trust file's period is over; get a newer one from somebody you trust"
    HEADER_IS_NOT_LATER = 16, "the trust file is of a later block; use one from before the header"
    BLOCK_IS_ANOTHER = 17, "the votes, or the block before, are not those of the header"
    VALIDATORS_ARE_OTHERS = 18, "the validators are not those whom the headers name"
    VOTE_IS_WRONG = 19, "a validator's signature is wrong; don't believe the proof"
    VOTES_TWICE = 20, "one validator's votes are counted twice; don't believe the proof"
    VOTES_ARE_TOO_FEW = 21, "not more than two thirds of the validators' power signed the header"
    TRUST_IS_TOO_LITTLE = 22, "too few trusted validators signed: a proof needs the blocks between"
    BUNDLE_IS_UNREADABLE = 23, "this is not a bundle as a node writes it; ask for it again"
    BUNDLE_IS_ALTERED = 24, "a member is not what the manifest says; ask for the bundle again"
    STATEMENT_IS_WRONG = 25, "the statement says something else than its proofs; don't believe it"
    MOVEMENT_IS_NOT_PROVEN = 26, "movements without a proof are the node's word; --partly takes it"
    TRUST_IS_ANOTHER = 27, "the bundle's trust file is not the one that you hold; find out why"
    BUNDLES_DO_NOT_JOIN = (
        28,
        "the bundle denies what an earlier one has proven; ask who left what out",
    )
    BUNDLES_ARE_APART = (
        29,
        "the bundle begins after the earlier one ends; ask for one that begins sooner",
    )
    PACK_IS_UNREADABLE = 30, "this is not a data pack as it is made; ask for it again"
    PACK_IS_ALTERED = 31, "a member is not what the manifest says; ask for the pack again"
    PACK_IS_WRONG = 32, "the pack says something else than its proofs; don't believe it"
    RECEIPT_IS_NOT_SEALED = 33, "no proven seal has signed this receipt; don't believe it"
    RECEIPT_DIFFERS = 34, "the receipt is of other terms than the proven order or offer"
    CONSENT_IS_NOT_THE_OWNERS = 35, "neither the owner nor the agent of its offer has sealed"
    DELETION_IS_NOT_ATTESTED = 36, "a licence ended, and nobody attested deletion; --partly counts"

    def __init__(self, number: int, advice: str) -> None:
        """Take number and advice."""
        self.number = number
        self.advice = advice


class VerificationError(Exception):
    """A proof that proves nothing."""

    exit_code = 65

    def __init__(self, finding: Finding, detail: str = "") -> None:
        """Carry the finding and what exactly was found."""
        text = f"{finding.name} ({finding.number}): {finding.advice}"
        super().__init__(f"{text} [{detail}]" if detail else text)
        self.finding = finding
        self.detail = detail
