"""The trust files of a network: from its genesis file, or from a block that is believed."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tongbao.engines.cometbft.light.form import milliseconds, parts_of
from tongbao.engines.cometbft.light.hashes import header_hash, validators_hash
from tongbao.engines.cometbft.light.types import LightBlock, Validator
from tongbao.kernel import ChainId, Count, Genesis, GenesisError, PublicKey, Time
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.proofs import FORMAT, PERIOD_MS, NetworkTrust, TrustedValidator

SECTION: Final = "governance"
FIRST_POWER: Final = 1
"""The power of each first validator where the genesis file names keys alone."""


class _Section(Struct, frozen=True):
    """What is read of the section; all else in it is for the module."""

    validators: tuple[TrustedValidator, ...] = ()


def first_trust(genesis: Genesis) -> NetworkTrust:
    """Trust in the genesis file: its validators, who vote on the first block. Raises GenesisError.

    Its period begins with the chain: later, a trust file of a later block is handed out.
    """
    if genesis.origin is not None:
        return _trust_in(genesis, genesis.origin.height, tuple(map(_first, genesis.engine.keys)))
    content = next((bytes(one.content) for one in genesis.sections if one.module == SECTION), b"{}")
    try:
        validators = msgspec.json.decode(content, type=_Section).validators
    except msgspec.DecodeError as error:
        raise GenesisError(f"section {SECTION}: {error}") from error
    if not validators:
        raise GenesisError(f"the section {SECTION} of a network's genesis file names no validators")
    return _trust_in(genesis, Count(0), validators)


def _first(key: PublicKey) -> TrustedValidator:
    """A validator of a chain that goes on from another: each has one vote in its first block."""
    return TrustedValidator(key=key, power=FIRST_POWER)


def _trust_in(
    genesis: Genesis, height: Count, validators: tuple[TrustedValidator, ...]
) -> NetworkTrust:
    return NetworkTrust(
        format=FORMAT,
        chain=chain_id(genesis),
        height=height,
        time=genesis.time,
        hash="",
        validators=validators,
    )


def trust_after(
    block: LightBlock, following: tuple[Validator, ...], period_ms: int = PERIOD_MS
) -> NetworkTrust:
    """Trust in a block that is believed, with the validators of the next height.

    Raises VerificationError where the header names others.
    """
    header, _, _ = parts_of(block)
    if validators_hash(following) != header.next_validators_hash:
        raise VerificationError(Finding.VALIDATORS_ARE_OTHERS, "than the header names for the next")
    assert header.time is not None
    return NetworkTrust(
        format=FORMAT,
        chain=ChainId(header.chain_id),
        height=Count(header.height),
        time=Time(milliseconds(header.time)),
        hash=header_hash(header).hex(),
        validators=trusted_validators(following),
        period_ms=period_ms,
    )


def trusted_validators(validators: tuple[Validator, ...]) -> tuple[TrustedValidator, ...]:
    """Validators as a trust file names them."""
    return tuple(map(_trusted, validators))


def _trusted(one: Validator) -> TrustedValidator:
    assert one.pub_key is not None and one.pub_key.ed25519 is not None
    return TrustedValidator(
        key=PublicKey(encode_base64url(one.pub_key.ed25519)), power=one.voting_power
    )
