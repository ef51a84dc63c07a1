"""Offline verification of a network's proofs: what they prove, and that nothing else passes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.paper_network import (
    FOUR,
    commit_of,
    header_of,
    members,
    time_of,
    voted,
    with_commit,
    with_header,
)
from tests.sdk.proven_network import AT, ProvenNetwork
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.form import milliseconds
from tongbao.engines.cometbft.light.hashes import validators_hash
from tongbao.engines.cometbft.light.types import LightBlock, Validator, ValidatorSet
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.network_verification import AHEAD_MS
from tongbao.sdk.proofs import PERIOD_MS
from tongbao.sdk.verification import Finding, VerificationError, Verified, verify


@pytest.fixture(scope="module")
def proven() -> ProvenNetwork:
    """Made once: nothing changes it."""
    return ProvenNetwork()


def changed(file: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """A file with one member replaced."""
    members_ = json.loads(file)
    place = members_
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(members_).encode()


def without(file: bytes, name: str) -> bytes:
    """A file that lacks a member."""
    members_ = json.loads(file)
    del members_[name]
    return json.dumps(members_).encode()


def finding_of(proof: bytes, trust: bytes, at: int = AT) -> Finding | None:
    """Why a proof is not believed; None where it is."""
    try:
        verify(proof, trust, at)
    except VerificationError as error:
        return error.finding
    return None


def test_a_holding_is_proven(proven: ProvenNetwork) -> None:
    """
    Given the proof of the shop's holding after block 2, under header 3, and the genesis's trust,
    when it is verified,
    then it says chain, height and time of block 2, and the value.
    """
    assert proven.verified(proven.holding) == Verified(
        chain=proven.id,
        height=2,
        time=milliseconds(time_of(proven.paper.network.at(2))),
        kind="row",
        name="asset.holdings",
        key=(proven.paper.shop, proven.paper.cny),
        value={"@version": 1, "amount": "12.50"},
    )


def test_an_absence_is_proven(proven: ProvenNetwork) -> None:
    """Given the proof that the bank holds nothing, when verified, then its value is None."""
    assert proven.verified(proven.absence).value is None


def test_transactions_are_proven_with_their_receipts(proven: ProvenNetwork) -> None:
    """
    Given proofs of a payment and of a refused one, in a block that holds junk as well,
    when they are verified,
    then they show what was signed and what happened.
    """
    paid, refused = proven.verified(proven.transaction), proven.verified(proven.refused)
    assert (paid.transaction_id, paid.height) == (proven.identity, 2)
    assert paid.value["messages"][0]["amount"] == "12.50"
    assert paid.receipt["outcome"] == "applied"
    assert refused.receipt["outcome"] == "refused" and refused.receipt["number"] > 0


def test_validators_who_changed_are_followed_by_the_blocks_between(proven: ProvenNetwork) -> None:
    """
    Given a proof of block 8, on which none of the first validators has voted, with and without
    light block 6, and a trust file of the genesis and of block 6,
    when they are verified,
    then the light block, or the later trust file, makes it believable.
    """
    assert proven.verified(proven.moved).value == {"@version": 1, "amount": "20.00"}
    assert finding_of(proven.alone, proven.trust) is Finding.TRUST_IS_TOO_LITTLE
    assert proven.verified(proven.alone, proven.trust_later) == proven.verified(proven.moved)
    assert finding_of(proven.holding, proven.trust_later) is Finding.HEADER_IS_NOT_LATER


def test_the_trusted_block_itself_needs_no_votes_by_others(proven: ProvenNetwork) -> None:
    """
    Given a trust file of block 6 and proofs that bring light block 6 along,
    when they are verified,
    then that block is believed by its hash.
    """
    assert proven.verified(proven.moved, proven.trust_later).height == 8
    forged = with_header(proven.paper.network.at(6), app_hash=bytes(32))
    lie = changed(proven.moved, ("blocks",), [text(forged)])
    assert finding_of(lie, proven.trust_later) is Finding.BLOCK_IS_ANOTHER


def test_a_trust_file_expires_and_may_be_judged_as_of_then(proven: ProvenNetwork) -> None:
    """
    Given a trust file whose period ends,
    when a proof is verified by a clock before and after, and by this computer's,
    then it is believed before alone: what was archived needs the time of then.
    """
    begin = json.loads(proven.trust)["time"]
    last = begin + PERIOD_MS
    assert finding_of(proven.holding, proven.trust, last - 1) is None
    assert finding_of(proven.holding, proven.trust, last) is Finding.TRUST_IS_OLD
    own = milliseconds(time_of(proven.paper.network.at(3)))
    assert finding_of(proven.holding, proven.trust, own - AHEAD_MS + 1) is None
    assert finding_of(proven.holding, proven.trust, own - AHEAD_MS - 1) is Finding.HEADER_IS_AHEAD
    with pytest.raises(VerificationError) as caught:
        verify(proven.holding, changed(proven.trust, ("period_ms",), 1))
    assert caught.value.finding is Finding.TRUST_IS_OLD


def test_golden_proofs_of_a_network_verify_in_every_later_version(proven: ProvenNetwork) -> None:
    """
    Given the bytes of proofs, trust files and light blocks of a network,
    when they are compared with the golden files,
    then none has changed.
    """
    for name, found in proven.golden().items():
        check_golden("cometbft.json", name, found)


def text(block: LightBlock) -> str:
    """A light block as it stands in a proof."""
    return encode_base64url(encode(block))


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


@pytest.mark.parametrize(("path", "value", "finding"), ROW_LIES)
def test_a_row_proof_that_lies_is_found_out(
    proven: ProvenNetwork, path: tuple[Any, ...], value: Any, finding: Finding
) -> None:
    """
    Given a good proof of a row with one member changed,
    when it is verified,
    then it is refused with the number of what is wrong.
    """
    assert finding_of(changed(proven.holding, path, value), proven.trust) is finding


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


@pytest.mark.parametrize(("path", "value", "finding"), TRANSACTION_LIES)
def test_a_transaction_proof_that_lies_is_found_out(
    proven: ProvenNetwork, path: tuple[Any, ...], value: Any, finding: Finding
) -> None:
    """
    Given a good proof of a transaction with one member changed,
    when it is verified,
    then it is refused with the number of what is wrong.
    """
    assert finding_of(changed(proven.transaction, path, value), proven.trust) is finding


def test_another_block_is_not_the_one_before(proven: ProvenNetwork) -> None:
    """
    Given proofs whose `block` is a good header of another height,
    when they are verified,
    then it is not the one that the light block names.
    """
    other = encode_base64url(encode(header_of(proven.paper.network.at(1))))
    for file in (proven.holding, proven.transaction):
        lie = changed(file, ("block",), other)
        assert finding_of(lie, proven.trust) is Finding.BLOCK_IS_ANOTHER


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


def test_forged_headers_votes_and_validators_are_found_out(proven: ProvenNetwork) -> None:
    """
    Given a proof whose light block is forged in each way,
    when it is verified,
    then each forgery has its own finding.
    """
    forged = forgeries(proven.paper.network.at(3))
    found = {
        finding: finding_of(changed(proven.holding, ("header",), text(block)), proven.trust)
        for finding, block in forged.items()
    }
    assert found == {finding: finding for finding in forged}


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


@pytest.mark.parametrize(("path", "value", "finding"), TRUST_LIES)
def test_a_changed_trust_file_trusts_others(
    proven: ProvenNetwork, path: tuple[Any, ...], value: Any, finding: Finding | None
) -> None:
    """
    Given a trust file with one member changed,
    when a good proof is verified,
    then it is refused with the number of what is wrong.
    """
    assert finding_of(proven.holding, changed(proven.trust, path, value)) is finding


def test_a_validator_who_stands_in_it_twice_makes_a_trust_file_none(proven: ProvenNetwork) -> None:
    """Given a trust file with one validator twice, when it is used, then it is unreadable."""
    validators = json.loads(proven.trust)["validators"]
    lie = changed(proven.trust, ("validators",), validators + validators[:1])
    assert finding_of(proven.holding, lie) is Finding.TRUST_IS_UNREADABLE


def test_a_proof_of_one_engine_is_none_for_the_other(proven: ProvenNetwork) -> None:
    """
    Given a trust file of a solo chain of the same name,
    when a network's proof is verified with it,
    then the engine is another.
    """
    solo = {"chain": proven.id, "engine": "solo", "format": 1, "keys": ["A" * 43]}
    trust = json.dumps(solo).encode()
    assert finding_of(proven.holding, trust) is Finding.ENGINE_IS_ANOTHER


def test_any_cut_or_flipped_byte_is_found_out_or_changes_nothing(proven: ProvenNetwork) -> None:
    """
    Given a proof cut at any place, or with any one bit flipped,
    when it is verified,
    then it is refused, or says exactly what the whole one says; and many findings are reached.
    """
    reached: Counter[str] = Counter()
    for file in (proven.holding, proven.transaction, proven.moved):
        whole = proven.verified(file)
        for at in range(0, len(file), 11):
            flipped = bytearray(file)
            flipped[at] ^= 1 << at % 7
            for attempt in (file[:at], bytes(flipped)):
                try:
                    assert proven.verified(attempt) == whole
                    reached["says the same"] += 1
                except VerificationError as error:
                    reached[error.finding.name] += 1
    expected = {
        "PROOF_IS_UNREADABLE",
        "HEADER_IS_WRONG",
        "BLOCK_IS_ANOTHER",
        "VALIDATORS_ARE_OTHERS",
        "VOTE_IS_WRONG",
        "ROW_IS_NOT_PROVEN",
        "TRANSACTION_IS_NOT_PROVEN",
    }
    assert expected <= set(reached), reached
