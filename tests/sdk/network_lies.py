"""Lies in the proof and trust files of a network, and what each is found out as."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from tests.paper_network import (
    FOUR,
    commit_of,
    header_of,
    members,
    voted,
    with_commit,
    with_header,
)
from tests.sdk.proven_network import ProvenNetwork
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.hashes import validators_hash
from tongbao.engines.cometbft.light.types import LightBlock, Validator, ValidatorSet
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.verification import Finding

ROW_LIES: list[tuple[tuple[Any, ...], Any, Finding]] = [
    (("value", "amount"), "99.50", Finding.ROW_IS_NOT_PROVEN),
    (("key", 0, "id"), "0" * 40, Finding.ROW_IS_NOT_PROVEN),
    (("state",), "00" * 32, Finding.ROW_IS_NOT_PROVEN),
    (("state",), "", Finding.PROOF_IS_UNREADABLE),
    (("state",), None, Finding.PROOF_IS_UNREADABLE),
    (("state",), "AB" * 32, Finding.PROOF_IS_UNREADABLE),
    (("state",), "zz" * 32, Finding.PROOF_IS_UNREADABLE),
    (("name",), "asset.debts", Finding.NAME_IS_WRONG),
    (("engine",), "solo", Finding.ENGINE_IS_ANOTHER),
    (("format",), 2, Finding.PROOF_IS_UNREADABLE),
    (("header",), "", Finding.HEADER_IS_WRONG),
    (("header",), "a.b.c", Finding.HEADER_IS_WRONG),
    (("header",), "CgA=", Finding.HEADER_IS_WRONG),
    (("header",), "CgA", Finding.HEADER_IS_WRONG),
    (("block",), None, Finding.BLOCK_IS_ANOTHER),
    (("block",), "CgIICw", Finding.HEADER_IS_WRONG),
    (("blocks",), ["CgA"], Finding.HEADER_IS_WRONG),
    (("blocks",), ["CgA"] * 65, Finding.PROOF_IS_UNREADABLE),
    (("surprise",), 1, Finding.PROOF_IS_UNREADABLE),
]


TRANSACTION_LIES: list[tuple[tuple[Any, ...], Any, Finding]] = [
    (("index",), 0, Finding.TRANSACTION_IS_NOT_PROVEN),
    (("size",), 5, Finding.TRANSACTION_IS_NOT_PROVEN),
    (("receipts",), 5, Finding.TRANSACTION_IS_NOT_PROVEN),
    (("receipt", "outcome"), "refused", Finding.TRANSACTION_IS_NOT_PROVEN),
    (("receipt", "number"), 7, Finding.TRANSACTION_IS_NOT_PROVEN),
    (("receipt", "number"), -1, Finding.PROOF_IS_UNREADABLE),
    (("receipt", "number"), 2**32, Finding.PROOF_IS_UNREADABLE),
    (("receipt",), 7, Finding.PROOF_IS_UNREADABLE),
    (("transaction_path",), [], Finding.TRANSACTION_IS_NOT_PROVEN),
    (("receipt_path",), ["00" * 32], Finding.TRANSACTION_IS_NOT_PROVEN),
    (("transaction",), "x", Finding.PROOF_IS_UNREADABLE),
    (("block",), None, Finding.BLOCK_IS_ANOTHER),
    (("state",), "00" * 32, Finding.PROOF_IS_UNREADABLE),
]


TRUST_LIES: list[tuple[tuple[Any, ...], Any, Finding | None]] = [
    (("chain",), "other-01234567", Finding.CHAIN_IS_ANOTHER),
    (("engine",), "solo", Finding.TRUST_IS_UNREADABLE),
    (("engine",), "other", Finding.TRUST_IS_UNREADABLE),
    (("format",), 2, Finding.TRUST_IS_UNREADABLE),
    (("hash",), "zz", Finding.TRUST_IS_UNREADABLE),
    (("height",), -1, Finding.TRUST_IS_UNREADABLE),
    (("height",), 3, Finding.HEADER_IS_NOT_LATER),
    (("height",), 2, None),  # the same validators, one height before the header
    (("period_ms",), 0, Finding.TRUST_IS_UNREADABLE),
    (("period_ms",), 1, Finding.TRUST_IS_OLD),
    (("validators",), [], Finding.TRUST_IS_UNREADABLE),
    (("validators", 0, "power"), 0, Finding.TRUST_IS_UNREADABLE),
    (("validators", 0, "power"), 1, None),  # enough of the others have voted
    (("validators", 0, "key"), "A" * 43, None),
    (("validators", 0, "key"), "x", Finding.TRUST_IS_UNREADABLE),
    (("surprise",), 1, Finding.TRUST_IS_UNREADABLE),
]


def changed(file: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """A file with one member replaced."""
    members_ = json.loads(file)
    place = members_
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(members_).encode()


def text(block: LightBlock) -> str:
    """A light block as it stands in a proof."""
    return encode_base64url(encode(block))


def beside(block: LightBlock, validators: tuple[Validator, ...]) -> LightBlock:
    """The same header and votes with other validators."""
    return replace(block, validator_set=ValidatorSet(validators=validators))


def voting_twice(block: LightBlock) -> LightBlock:
    """A header under which one validator has two places."""
    doubled = (FOUR.validators[0], *FOUR.validators[:3])
    forged = with_header(block, validators_hash=validators_hash(doubled))
    honest = commit_of(voted(header_of(forged), FOUR))
    first, second, third, _ = honest.signatures
    votes = (first, first, second, third)
    return beside(with_commit(forged, block_id=honest.block_id, signatures=votes), doubled)


def forgeries(block: LightBlock) -> dict[Finding, LightBlock]:
    """A good light block forged in each way that votes find out."""
    header = header_of(block)
    strangers = members("a", "b", "c", "d")
    foreign = header_of(with_header(block, chain_id="other-01234567"))
    theirs = header_of(with_header(block, validators_hash=validators_hash(strangers.validators)))
    return {
        Finding.HEADER_IS_WRONG: with_header(block, data_hash=b"\1"),
        Finding.CHAIN_IS_ANOTHER: voted(foreign, FOUR),
        Finding.BLOCK_IS_ANOTHER: with_header(block, app_hash=bytes(32)),
        Finding.VALIDATORS_ARE_OTHERS: beside(block, strangers.validators),
        Finding.VOTE_IS_WRONG: with_commit(block, round=1),
        Finding.VOTES_TWICE: voting_twice(block),
        Finding.VOTES_ARE_TOO_FEW: voted(header, FOUR, absent=["north"], against=["east"]),
        Finding.TRUST_IS_TOO_LITTLE: voted(theirs, strangers),
    }


def golden_lies(proven: ProvenNetwork) -> list[dict[str, Any]]:
    """All of them for verifiers in other languages: a file, the member, its value, the finding."""
    kinds = (("holding", ROW_LIES), ("transaction", TRANSACTION_LIES), ("trust", TRUST_LIES))
    found = [
        {"file": name, "path": path, "value": value, "finding": finding and finding.name}
        for name, lies in kinds
        for path, value, finding in lies
    ]
    for finding, block in forgeries(proven.paper.network.at(3)).items():
        lie = {"file": "holding", "path": ["header"], "value": text(block)}
        found.append({**lie, "finding": finding.name})
    plain: list[dict[str, Any]] = json.loads(json.dumps(found))
    return plain
