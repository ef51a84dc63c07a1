"""Two signed contents of one month: what proves that a source lied, and where its bond goes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.modules.data_steps import EGGS, MARCH, Market, hash_of
from tongbao.kernel import Amount, PublicKey, Reason, Small, WeightedKey
from tongbao.modules import account, data
from tongbao.modules.data import Period, Schema, SignedText, Why
from tongbao.modules.data.attestation import Attestation
from tongbao.rights.attestation import sign_attestation
from tongbao.testing import CNY, named_key
from tongbao.testing.keys import ledger_key


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def told(market: Market, **changes: Any) -> Attestation:
    """What the club says of a month of alice's."""
    usual = Attestation(
        about="person",
        batch=hash_of(1_001),
        iat=1_793_000_000,
        iss=market.address("club"),
        method="scan",
        period=MARCH,
        schema=EGGS,
        sub=hash_of(7),
        version=1,
    )
    return replace(usual, **changes)


def signed(said: Attestation, key: str = "club") -> SignedText:
    """An attestation, signed by a key."""
    return SignedText(sign_attestation(said, named_key(key).seed).decode())


def proof(
    market: Market, key: str = "club", other_key: str | None = None, **changes: Any
) -> data.ProveTwoContents:
    """Two contents of one month by the club, or whatever else the changes make of the second."""
    other = told(market, **({"batch": hash_of(9)} | changes))
    return data.ProveTwoContents(
        first=signed(told(market), key), second=signed(other, other_key or key)
    )


def admitted(market: Market) -> bool:
    """Whether the club is a source."""
    return bool(data.admitted(market.view(data.module), market.address("club")).rows)


def test_a_bond_is_taken_for_two_signed_contents_of_one_month(market: Market) -> None:
    """
    Given the club, which has signed two contents of alice's month,
    when mallory proves it, and again, the texts the other way round,
    then the club is no source, the issuer of the bond's asset has earned the bond, neither mallory
    nor alice has anything, it is an event, and nothing is proven twice.
    """
    shown = proof(market)
    market.apply("mallory", shown)

    assert not admitted(market)
    assert market.bond("club") is None
    earned = [market.earned(name) for name in ("bank", "mallory", "alice", "club")]
    assert earned == ["50.00", "0.00", "0.00", "0.00"]
    [event] = market.receipt.events
    assert isinstance(event, data.Contradicted)
    assert (event.source, event.subject) == (market.address("club"), hash_of(7))
    assert (event.asset, event.bond) == (CNY, Amount("50.00"))
    turned = data.ProveTwoContents(first=shown.second, second=shown.first)
    with market.refuses(Why.LIE_IS_PROVEN):
        market.apply("mallory", turned)
    with market.refuses(Why.SOURCE_NOT_FOUND):
        market.apply("club", market.committing(subject=hash_of(8)))


def test_what_proves_nothing_takes_nothing(market: Market) -> None:
    """
    Given attestations of the club's,
    when they say one thing, or of two months, persons, versions or schemas, or a stranger or the
    accuser has signed one or both, or one can't be read, then each is refused and the club stays.
    """
    good = proof(market)
    cut = SignedText(f"{good.second[:9]}{good.second[10:]}")
    spaced = SignedText(f"{good.second[:-86]}{good.first[-86:]}")
    wrong: list[tuple[Reason, data.ProveTwoContents]] = [
        (Why.CONTENTS_AGREE, proof(market, batch=hash_of(1_001), iat=1)),
        (Why.CONTENTS_AGREE, proof(market, period=Period("2026-04"))),
        (Why.CONTENTS_AGREE, proof(market, sub=hash_of(8))),
        (Why.CONTENTS_AGREE, proof(market, version=2, supersedes=hash_of(1_001))),
        (Why.CONTENTS_AGREE, proof(market, schema=Schema("milk.1"))),
        (Why.ATTESTATION_IS_NOT_SIGNED, proof(market, key="mallory")),
        (Why.ATTESTATION_IS_NOT_SIGNED, proof(market, other_key="mallory")),
        (Why.ATTESTATION_IS_NOT_SIGNED, replace(good, second=spaced)),
        (Why.ATTESTATION_IS_MALFORMED, replace(good, second=cut)),
    ]
    for why, message in wrong:
        with market.refuses(why):
            market.apply("mallory", message)
    assert admitted(market)
    assert market.bond("club") == ("50.00", "50.00")


def test_who_is_no_source_has_no_bond_to_lose(market: Market) -> None:
    """
    Given carol, an agent with a bond, who signs two contents, and the club, once it is ended,
    when either is proven,
    then it is refused, and what carol has posted stays.
    """
    by_carol = [
        signed(told(market, iss=market.address("carol"), batch=hash_of(n)), "carol") for n in (1, 2)
    ]
    with market.refuses(Why.SOURCE_NOT_FOUND):
        market.apply("bob", data.ProveTwoContents(first=by_carol[0], second=by_carol[1]))
    market.apply("bank", data.EndSource(source=market.address("club"), schema=EGGS))
    with market.refuses(Why.SOURCE_NOT_FOUND):
        market.apply("bob", proof(market))
    assert market.bond("carol") == ("100.00", "0.00")


def test_a_key_that_was_the_sources_counts_and_one_that_is_too_light_does_not(
    market: Market,
) -> None:
    """
    Given a club that has changed its key since it signed, and has one that can't sign alone,
    when two contents are proven, one by the old key and one by the new, or one by the light one,
    then the light one is nobody's word, and the old key is still the club's.
    """
    old = PublicKey(named_key("club").key_id)
    heavy = WeightedKey(key=ledger_key(named_key("fresh")), weight=Small(2))
    light = WeightedKey(key=ledger_key(named_key("light")), weight=Small(1))
    market.apply("club", account.AddKey(added=heavy), also_sign=("fresh",))
    market.apply("club", account.AddKey(added=light), also_sign=("light",))
    market.apply("club", account.RemoveKey(removed=old))
    market.apply(
        "club", account.SetThresholds(ordinary=Small(2), sensitive=Small(2)), signed_by=("fresh",)
    )

    with market.refuses(Why.ATTESTATION_IS_NOT_SIGNED):
        market.apply("mallory", proof(market, other_key="light"))
    market.apply("mallory", proof(market, other_key="fresh"))

    assert not admitted(market)
