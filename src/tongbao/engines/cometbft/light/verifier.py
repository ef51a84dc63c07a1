"""When a header of CometBFT may be believed, by one that is believed already.

The rules, their order and the votes that they count are those of `light/verifier.go` and
`types/validation.go` at v0.39.4 (specification: "Light client verification"). All times are
nanoseconds since 1970, UTC. Two differences, both on the strict side: a header must be in the form
of `form.py`, and what is trusted without a header (the genesis file) has a header after it that may
carry the same time, as CometBFT's first block does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from tongbao.engines.cometbft.light import zip215
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.form import (
    NS_PER_MS,
    NS_PER_SECOND,
    check_light_block,
    nanoseconds,
    parts_of,
)
from tongbao.engines.cometbft.light.hashes import header_hash, validators_hash
from tongbao.engines.cometbft.light.types import Commit, CommitSig, Header, LightBlock, Validator
from tongbao.engines.cometbft.light.votes import Ballot
from tongbao.engines.cometbft.messages import BlockIDFlag

TRUST_PARTS: Final = 3
"""A header that skips needs more than one part in three of the trusted power."""
SIGNATURES_LIMIT: Final = 2_000
"""Signatures that are remembered while one header is judged: both sets' at most."""


class Trusted(NamedTuple):
    """A height that is believed.

    `validators` are those of the height or of the next one: of whose power a later header needs
    more than a third. `next_hash` is the hash of the next height's validators. `hash` is the
    header's, empty where only the genesis file is known.
    """

    chain: str
    height: int
    time: int
    hash: bytes
    validators: tuple[Validator, ...]
    next_hash: bytes


class Terms(NamedTuple):
    """By when and how long: the clock, the trusting period, how far a header may lie ahead."""

    now: int
    period: int
    drift: int


def trusted_after(block: LightBlock) -> Trusted:
    """A light block that is believed, as what is trusted. Raises LightError."""
    header, _, validators = parts_of(block)
    assert header.time is not None
    return Trusted(
        chain=header.chain_id,
        height=header.height,
        time=nanoseconds(header.time),
        hash=header_hash(header),
        validators=validators,
        next_hash=header.next_validators_hash,
    )


def verify(trusted: Trusted, block: LightBlock, terms: Terms) -> Trusted:
    """Believe a header, the next one or a later one, and trust it from then on.

    Raises LightError.
    """
    header, commit, validators = parts_of(block)
    if trusted.time + terms.period <= terms.now:
        over = terms.now - trusted.time - terms.period
        raise LightError(Fault.EXPIRED, f"{over // NS_PER_SECOND} s ago")
    _check_new(trusted, block, terms)
    checked: set[tuple[bytes, bytes, bytes]] = set()
    ballot = Ballot(trusted.chain, commit)
    if header.height == trusted.height + 1:
        if header.validators_hash != trusted.next_hash:
            raise LightError(Fault.OTHER_VALIDATORS, "than the header before it names")
    else:
        _check_trust(trusted.validators, commit, ballot, checked)
    _check_majority(validators, commit, ballot, checked)
    return trusted_after(block)


def _check_new(trusted: Trusted, block: LightBlock, terms: Terms) -> None:
    """What needs no signature."""
    check_light_block(block)
    header, commit, validators = parts_of(block)
    if header.chain_id != trusted.chain:
        raise LightError(Fault.OTHER_CHAIN, f"{header.chain_id}, not {trusted.chain}")
    _check_commit_of(header, commit)
    assert header.time is not None
    time = nanoseconds(header.time)
    if header.height <= trusted.height:
        raise LightError(Fault.NOT_AFTER, f"height {header.height}, {trusted.height} is trusted")
    if time < trusted.time or (time == trusted.time and trusted.hash):
        raise LightError(Fault.NOT_AFTER, "its time")
    if time >= terms.now + terms.drift:
        raise LightError(Fault.AHEAD, f"{(time - terms.now) // NS_PER_MS} ms")
    if header.validators_hash != validators_hash(validators):
        raise LightError(Fault.OTHER_VALIDATORS, f"at height {header.height}")
    if len(validators) != len(commit.signatures):
        detail = f"{len(commit.signatures)} votes of {len(validators)} validators"
        raise LightError(Fault.MALFORMED, detail)


def _check_commit_of(header: Header, commit: Commit) -> None:
    assert commit.block_id is not None
    if commit.height != header.height:
        raise LightError(Fault.OTHER_BLOCK, f"height {commit.height}, not {header.height}")
    if commit.block_id.hash != header_hash(header):
        raise LightError(Fault.OTHER_BLOCK, "its hash")


def _check_trust(
    trusted: Iterable[Validator],
    commit: Commit,
    ballot: Ballot,
    checked: set[tuple[bytes, bytes, bytes]],
) -> None:
    """More than a third of the trusted power has voted, found by address."""
    by_address: dict[bytes, Validator] = {}
    total = 0
    for validator in trusted:
        by_address.setdefault(validator.address, validator)
        total += validator.voting_power
    needed = total // TRUST_PARTS
    seen: set[bytes] = set()
    tally = 0
    for vote in _votes_for_block(commit):
        known = by_address.get(vote.validator_address)
        if known is None:
            continue
        if vote.validator_address in seen:
            raise LightError(Fault.VOTED_TWICE, vote.validator_address.hex())
        seen.add(vote.validator_address)
        _check_signature(known, vote, ballot, checked)
        tally += known.voting_power
        if tally > needed:
            return
    raise LightError(Fault.TOO_LITTLE_TRUST, f"{tally} of {total}")


def _check_majority(
    validators: tuple[Validator, ...],
    commit: Commit,
    ballot: Ballot,
    checked: set[tuple[bytes, bytes, bytes]],
) -> None:
    """More than two thirds of the header's own validators have voted, each in its place."""
    total = sum(validator.voting_power for validator in validators)
    needed = total * 2 // 3
    tally = 0
    for validator, vote in zip(validators, commit.signatures, strict=True):
        if vote.block_id_flag != BlockIDFlag.COMMIT:
            continue
        if vote.validator_address != validator.address:
            raise LightError(Fault.OTHER_VALIDATORS, "a vote stands in another's place")
        _check_signature(validator, vote, ballot, checked)
        tally += validator.voting_power
        if tally > needed:
            return
    raise LightError(Fault.TOO_FEW_VOTES, f"{tally} of {total}")


def _votes_for_block(commit: Commit) -> Iterable[CommitSig]:
    """Those that are neither absent nor for no block."""
    return (vote for vote in commit.signatures if vote.block_id_flag == BlockIDFlag.COMMIT)


def _check_signature(
    validator: Validator,
    vote: CommitSig,
    ballot: Ballot,
    checked: set[tuple[bytes, bytes, bytes]],
) -> None:
    """A signature is checked once, though both counts need it."""
    assert validator.pub_key is not None and validator.pub_key.ed25519 is not None
    what = validator.pub_key.ed25519, ballot.sign_bytes(vote.timestamp), vote.signature
    if what in checked:
        return
    if not zip215.verify(*what):
        raise LightError(Fault.WRONG_SIGNATURE, f"of validator {validator.address.hex()}")
    assert len(checked) < SIGNATURES_LIMIT
    checked.add(what)
