"""Offline verification of a network's proofs: what they prove, and that nothing else passes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.golden_file import check_golden
from tests.paper_network import (
    header_of,
    time_of,
    with_header,
)
from tests.sdk.network_lies import (
    ROW_LIES,
    TRANSACTION_LIES,
    TRUST_LIES,
    changed,
    forgeries,
    golden_lies,
    text,
)
from tests.sdk.proven_network import AT, ProvenNetwork
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.form import milliseconds
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.network_verification import AHEAD_MS
from tongbao.sdk.proofs import PERIOD_MS
from tongbao.sdk.verification import Finding, VerificationError, Verified, verify


@pytest.fixture(scope="module")
def proven() -> ProvenNetwork:
    """Made once: nothing changes it."""
    return ProvenNetwork()


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
    for name, found in (*proven.golden().items(), ("lies", golden_lies(proven))):
        check_golden("cometbft.json", name, found)


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
