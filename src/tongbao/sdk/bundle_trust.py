"""The headers of a bundle, believed by the trust file that its reader holds, the oldest first.

Of a network each light block is followed from the one before, by those between that a member brings
along where validators have changed much. The trust file in the bundle is never
believed: it must be the reader's own, or, of a network, what the last header says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tongbao.engines.cometbft.light.form import milliseconds, parts_of
from tongbao.engines.cometbft.light.hashes import header_hash
from tongbao.kernel import ChainId, Count, Time, jcs
from tongbao.sdk.believed import Believed
from tongbao.sdk.bundle import BlockMember
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.network_trust import trusted_validators
from tongbao.sdk.network_verification import (
    follow,
    read_block,
    read_header,
    said,
    said_by,
    terms_of,
    trusted_of,
)
from tongbao.sdk.proofs import FORMAT, NetworkTrust, RowProof, SoloTrust, TrustFile, to_json
from tongbao.sdk.verification import check_engine, read_trust, signed_header

Believe = Callable[[BlockMember | RowProof], Believed]


def believing(trust: TrustFile, now: int) -> Believe:
    """What believes one header after the other, heights ascending, at a time in ms UTC."""
    if isinstance(trust, SoloTrust):
        return lambda member: _signed(member, trust)
    return _following(trust, now)


def _signed(member: BlockMember | RowProof, trust: SoloTrust) -> Believed:
    check_engine(member.engine, trust)
    state = member.state if isinstance(member, RowProof) else None
    header = signed_header(member.header, trust)
    if (member.block, state, member.blocks) != (None, None, ()):
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, "members of a network's proof")
    return header


def _following(trust: NetworkTrust, now: int) -> Believe:
    trusted, terms = trusted_of(trust), terms_of(trust, now)

    def believe(member: BlockMember | RowProof) -> Believed:
        nonlocal trusted
        check_engine(member.engine, trust)
        for text in member.blocks:
            trusted = follow(trusted, read_block(text), terms)
        block = read_block(member.header)
        trusted = follow(trusted, block, terms)
        if isinstance(member, RowProof):
            return said_by(member, block)
        header, _, _ = parts_of(block)
        return said(header, None if member.block is None else read_header(member.block), "")

    return believe


def trust_in(proof: RowProof) -> NetworkTrust:
    """The trust file that a network's header makes: of the block before it, and who votes on it.

    Raises VerificationError.
    """
    header, _, validators = parts_of(read_block(proof.header))
    before = header if proof.block is None else read_header(proof.block)
    assert before.time is not None
    return NetworkTrust(
        format=FORMAT,
        chain=ChainId(header.chain_id),
        height=Count(header.height - 1),
        time=Time(milliseconds(before.time)),
        hash="" if proof.block is None else header_hash(before).hex(),
        validators=trusted_validators(validators),
    )


def check_trust(content: bytes, trust: TrustFile, proof: RowProof) -> None:
    """Whether the bundle's trust file is what its reader holds, or what the last header says.

    Raises VerificationError.
    """
    found = read_trust(content)
    expected: Any = trust if isinstance(trust, SoloTrust) else trust_in(proof)
    if jcs.encode(found) != content or to_json(expected) != content:
        raise VerificationError(Finding.TRUST_IS_ANOTHER)
