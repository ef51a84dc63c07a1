"""Believing a network's headers: from a trust file, by the votes that a proof brings along.

The rules are those of `engines/cometbft/light`; here they get what the files hold, and their faults
get the numbers of findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tongbao.engines.cometbft.light import form
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.hashes import (
    app_hash,
    header_hash,
    in_order,
    validator,
    validators_hash,
)
from tongbao.engines.cometbft.light.types import Header, LightBlock
from tongbao.engines.cometbft.light.verifier import Terms, Trusted, verify
from tongbao.kernel import InvalidTransaction
from tongbao.kernel.envelope import decode_base64url
from tongbao.sdk.believed import Believed
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.proofs import COMETBFT, NetworkTrust, ProofFile, RowProof

AHEAD_MS: Final = 900_000
"""How far a header's time may lie ahead of this computer's: a quarter of an hour."""
STATE_LENGTH: Final = 64
FINDINGS: Final[Mapping[Fault, Finding]] = {
    Fault.MALFORMED: Finding.HEADER_IS_WRONG,
    Fault.OTHER_CHAIN: Finding.CHAIN_IS_ANOTHER,
    Fault.OTHER_BLOCK: Finding.BLOCK_IS_ANOTHER,
    Fault.OTHER_VALIDATORS: Finding.VALIDATORS_ARE_OTHERS,
    Fault.EXPIRED: Finding.TRUST_IS_OLD,
    Fault.NOT_AFTER: Finding.HEADER_IS_NOT_LATER,
    Fault.AHEAD: Finding.HEADER_IS_AHEAD,
    Fault.VOTED_TWICE: Finding.VOTES_TWICE,
    Fault.WRONG_SIGNATURE: Finding.VOTE_IS_WRONG,
    Fault.TOO_FEW_VOTES: Finding.VOTES_ARE_TOO_FEW,
    Fault.TOO_LITTLE_TRUST: Finding.TRUST_IS_TOO_LITTLE,
}


@contextmanager
def judged() -> Iterator[None]:
    """Turn what the rules find into what this package raises: VerificationError."""
    try:
        yield
    except LightError as error:
        detail = f"{error.fault.value}: {error.detail}" if error.detail else error.fault.value
        raise VerificationError(FINDINGS[error.fault], detail) from error


def trusted_of(trust: NetworkTrust) -> Trusted:
    """Where belief begins, by a trust file. Raises VerificationError."""
    validators = in_order(
        validator(decode_base64url(one.key.encode()), one.power) for one in trust.validators
    )
    if len({one.address for one in validators}) != len(validators):
        raise VerificationError(Finding.TRUST_IS_UNREADABLE, "a validator stands in it twice")
    try:
        form.check_validators(validators)
    except LightError as error:
        raise VerificationError(Finding.TRUST_IS_UNREADABLE, error.detail) from error
    return Trusted(
        chain=trust.chain,
        height=trust.height,
        time=trust.time * form.NS_PER_MS,
        hash=bytes.fromhex(trust.hash),
        validators=validators,
        next_hash=validators_hash(validators),
    )


def terms_of(trust: NetworkTrust, now: int) -> Terms:
    """The clock (ms UTC) and the trust file's period."""
    scale = form.NS_PER_MS
    return Terms(now=now * scale, period=trust.period_ms * scale, drift=AHEAD_MS * scale)


def read_block(text: str) -> LightBlock:
    """A light block in base64url. Raises VerificationError."""
    with judged():
        return form.read_light_block(_bytes(text))


def read_header(text: str) -> Header:
    """A header in base64url. Raises VerificationError."""
    with judged():
        return form.read_header(_bytes(text))


def believe(proof: ProofFile, trusted: Trusted, terms: Terms) -> Believed:
    """What a proof's header says, once its votes are trusted. Raises VerificationError."""
    for text in proof.blocks:
        trusted = follow(trusted, read_block(text), terms)
    block = read_block(proof.header)
    follow(trusted, block, terms)
    return said_by(proof, block)


def follow(trusted: Trusted, block: LightBlock, terms: Terms) -> Trusted:
    """Trust one more block by what is trusted already. Raises VerificationError.

    The very block that is trusted needs no votes.
    """
    with judged():
        header, _, validators = form.parts_of(block)
        if trusted.hash and trusted.hash == header_hash(header):
            if trusted.time + terms.period <= terms.now:
                raise LightError(Fault.EXPIRED)
            if validators_hash(validators) != header.validators_hash:
                raise LightError(Fault.OTHER_VALIDATORS)
            return trusted
        return verify(trusted, block, terms)


def said_by(proof: ProofFile, block: LightBlock) -> Believed:
    """What a block that is believed says of the block before, as the proof brings it along.

    Raises VerificationError.
    """
    state = _state_of(proof)
    header, _, _ = form.parts_of(block)
    if isinstance(proof, RowProof) and app_hash(state) != header.app_hash:
        raise VerificationError(Finding.ROW_IS_NOT_PROVEN, "the state root is another")
    return said(header, None if proof.block is None else read_header(proof.block), state.hex())


def said(header: Header, before: Header | None, state: str) -> Believed:
    """What a believed header says of the block before it, which is given too, unless it is block 0.

    Raises VerificationError where it is another.
    """
    assert header.last_block_id is not None and header.time is not None
    named = header.last_block_id.hash
    if named != (b"" if before is None else header_hash(before)):
        raise VerificationError(Finding.BLOCK_IS_ANOTHER, f"than header {header.height} names")
    return Believed(
        engine=COMETBFT,
        chain=header.chain_id,
        height=header.height - 1,
        time=form.milliseconds(header.time) if before is None else time_of(before),
        state=state,
        transactions="" if before is None else before.data_hash.hex(),
        receipts=header.last_results_hash.hex(),
        identity=header_hash(header).hex(),
    )


def time_of(header: Header) -> int:
    """A block's time as the ledger has it, in ms UTC.

    CometBFT gives its first block the time of the genesis file, which is block 0's here; a block of
    the ledger is later than the one before.
    """
    assert header.time is not None and header.last_block_id is not None
    return form.milliseconds(header.time) + (0 if header.last_block_id.hash else 1)


def _state_of(proof: ProofFile) -> bytes:
    """The state root of a row's proof; none of a transaction's. Raises VerificationError."""
    text = (proof.state or "") if isinstance(proof, RowProof) else ""
    try:
        state = bytes.fromhex(text)
    except ValueError as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, "state") from error
    if state.hex() != text or len(text) != STATE_LENGTH * isinstance(proof, RowProof):
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, "state is 64 digits of lowercase hex")
    return state


def _bytes(text: str) -> bytes:
    try:
        return decode_base64url(text.encode("ascii", "replace"))
    except InvalidTransaction as error:
        raise LightError(Fault.MALFORMED, f"not base64url: {error}") from error
