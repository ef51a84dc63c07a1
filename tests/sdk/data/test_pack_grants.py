"""One grant of a pack, with one fact of its evidence another: what a lying chain would show.

No ledger ever comes to this; the checks don't rest on that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_type_hints

import pytest
from msgspec.structs import replace

from tests.sdk.data.granted import BOB, DAVE
from tests.sdk.data.test_pack import Packed
from tongbao.kernel import Id
from tongbao.kernel.schema import wire_name_of
from tongbao.modules import data
from tongbao.sdk.data.pack_grants import DAY_MS, MAKERS, Evidence, check_grant, with_made
from tongbao.sdk.data.pack_verification import Proofs
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.verification import Verified, read_trust

WRONG, DIFFERS = Finding.PACK_IS_WRONG, Finding.RECEIPT_DIFFERS
UNSEALED, STRANGER = Finding.RECEIPT_IS_NOT_SEALED, Finding.CONSENT_IS_NOT_THE_OWNERS
HASH: Final = "0d" * 32

Change = Callable[[Evidence], Evidence]


@pytest.fixture(scope="module")
def small() -> Packed:
    """A pack of one grant that went through every step."""
    return Packed("solo", "accepted")


def evidence_of(packed: Packed) -> Evidence:
    """All that a pack has of its one grant."""
    (grant,) = packed.found.pack.grants
    return Proofs(packed.members, read_trust(packed.trust), packed.now).of(grant)


def said(kind: str, **members: Any) -> Change:
    """Each message of a kind says something else; `sender` is the transaction's."""

    def changed(one: Verified) -> Verified:
        kinds = [message["@type"] for message in one.value["messages"]]
        if f"data.{kind}" not in kinds:
            return one
        own = {name: value for name, value in members.items() if name != "sender"}
        messages = [
            message | own if message["@type"] == f"data.{kind}" else message
            for message in one.value["messages"]
        ]
        sender = members.get("sender", one.value["sender"])
        return replace(one, value=one.value | {"messages": messages, "sender": sender})

    return lambda seen: replace(seen, transactions=tuple(map(changed, seen.transactions)))


def without(kind: str) -> Change:
    """No transaction has a message of a kind."""

    def has(one: Verified) -> bool:
        return any(message["@type"] == f"data.{kind}" for message in one.value["messages"])

    def changed(seen: Evidence) -> Evidence:
        left = [
            (name, one)
            for name, one in zip(seen.grant.transactions, seen.transactions, strict=True)
            if not has(one)
        ]
        grant = replace(seen.grant, transactions=tuple(name for name, _ in left))
        return replace(seen, grant=grant, transactions=tuple(one for _, one in left))

    return changed


def row(**members: Any) -> Change:
    """The order's row says something else; None takes a member away."""

    def changed(seen: Evidence) -> Evidence:
        value = {
            name: value for name, value in (seen.row.value | members).items() if value is not None
        }
        return replace(seen, row=replace(seen.row, value=value))

    return changed


def licence(**changes: Any) -> Change:
    """The licence's row is another."""

    def changed(seen: Evidence) -> Evidence:
        assert seen.licence is not None
        return replace(seen, licence=replace(seen.licence, **changes))

    return changed


def receipts(outcome: str) -> Change:
    """Every transaction came to something else."""
    return lambda seen: replace(
        seen,
        transactions=tuple(
            replace(one, receipt=one.receipt | {"outcome": outcome}) for one in seen.transactions
        ),
    )


def sealed_later(seen: Evidence) -> Evidence:
    """All of it happened more than a day later than the receipt says."""
    later = tuple(replace(one, time=one.time + 2 * DAY_MS) for one in seen.transactions)
    return replace(seen, transactions=later)


CASES: Final[dict[str, tuple[Change, Finding]]] = {
    "who has sealed is a stranger": (said("seal", sender=DAVE), STRANGER),
    "the offer names no agent": (said("make_offer", agent=None), STRANGER),
    "the offer names another agent": (said("make_offer", agent=DAVE), STRANGER),
    "the seal has another hash": (said("seal", grant_hash=HASH), UNSEALED),
    "the order has another hash": (row(grant_hash=HASH), UNSEALED),
    "the order was never sealed": (row(grant_hash=None), UNSEALED),
    "the seal is by another offer": (said("seal", offer="0e" * 20), WRONG),
    "the offer is a stranger's": (said("make_offer", sender=DAVE), WRONG),
    "the offer is of another purpose": (said("make_offer", purposes=["dpv:Marketing"]), DIFFERS),
    "the offer is of fewer fields": (said("make_offer", fields=["day"]), DIFFERS),
    "the offer is for elsewhere": (said("make_offer", regions=["DE"]), DIFFERS),
    "the offer is of another retention": (said("make_offer", retention_ms=1), DIFFERS),
    "the offer is of another mode": (said("make_offer", mode="store"), DIFFERS),
    "the order is of another purpose": (row(purpose="dpv:Marketing"), DIFFERS),
    "the order is of more fields": (row(fields=["count", "day"]), DIFFERS),
    "the order may be kept for longer": (row(delete_by=1_900_000_000_000), DIFFERS),
    "the order has another price": (row(price="19.00"), DIFFERS),
    "the order is of another owner": (row(owner=DAVE), DIFFERS),
    "the order was placed by another": (said("place_order", sender=DAVE), WRONG),
    "the order was placed otherwise": (said("place_order", price="21.00"), WRONG),
    "the confirmation is by another": (said("confirm", sender=DAVE), WRONG),
    "another grant was confirmed": (said("confirm", grant_hash=HASH), WRONG),
    "the reveal is a stranger's": (said("reveal", sender=BOB), WRONG),
    "another b was revealed": (said("reveal", b=HASH), WRONG),
    "deletion was attested by another": (said("attest_deletion", sender=DAVE), WRONG),
    "another document was attested": (said("attest_deletion", attestation_hash=HASH), WRONG),
    "the seal is missing": (without("seal"), UNSEALED),
    "the confirmation is missing": (without("confirm"), WRONG),
    "the reveal is missing": (without("reveal"), WRONG),
    "the offer is missing": (without("make_offer"), WRONG),
    "the order is missing": (without("place_order"), WRONG),
    "the attestation is missing": (without("attest_deletion"), WRONG),
    "all were refused": (receipts("refused"), WRONG),
    "all are of another day": (sealed_later, WRONG),
    "the row is of another order": (lambda one: replace(one, row=replace(one.row, key=("0f",))),
                                    WRONG),
    "the row is older": (lambda one: replace(one, row=replace(one.row, height=3)), WRONG),
    "the licence's row is older": (licence(height=3), WRONG),
    "the licence's row is of another": (licence(key=("0f" * 20,)), WRONG),
    "the order was claimed": (row(evidence_hash=HASH), WRONG),
    "the order was upheld": (row(phase="upheld"), WRONG),
    "the order was cancelled": (row(phase="cancelled"), WRONG),
    "the order was withdrawn": (row(phase="withdrawn"), WRONG),
    "the order is of a later program": (row(phase="dreamt"), Finding.PACK_IS_UNREADABLE),
    "a panel has voted": (row(panel=[DAVE, BOB, BOB], votes=["upheld", None, None]), WRONG),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_evidence_that_does_not_hold_together_is_found(small: Packed, what: str) -> None:
    """Given a grant that holds, when one fact of its evidence is another, then it is found."""
    seen = evidence_of(small)
    change, finding = CASES[what]
    assert check_grant(small.found.pack, seen) == small.found.grants[0]
    with pytest.raises(VerificationError) as told:
        check_grant(small.found.pack, change(seen))
    assert told.value.finding is finding, str(told.value)


def test_a_receipt_of_another_day_is_found(small: Packed) -> None:
    """Given a seal that is two days later, of the period, when checked, then the receipt lies."""
    pack = replace(small.found.pack, before_time=small.now + 9 * DAY_MS)
    with pytest.raises(VerificationError, match="not of the day of the seal"):
        check_grant(pack, sealed_later(evidence_of(small)))


def test_nothing_is_said_to_be_made_where_that_is_not_known() -> None:
    """Given messages of other modules that made something, when asked who made what, then none."""
    messages = [{"@type": "hold.place"}, {"@type": "data.reveal"}]
    both = Verified(
        chain="", height=1, time=1, kind="transaction", name="transaction",
        value={"messages": messages}, receipt={"ids": ["a", "b"]},
    )  # fmt: skip
    assert with_made(both) == [(message, None) for message in messages]
    alone = replace(both, value={"messages": messages[1:]}, receipt={"ids": ["a"]})
    assert with_made(alone) == [(messages[1], "a")]


def test_it_is_known_which_messages_of_the_market_make_something() -> None:
    """Given the market's handlers, when those that give an id are named, then they are these."""
    giving = {
        wire_name_of(kind)
        for kind, handler in data.module.handlers.items()
        if get_type_hints(handler)["return"] is Id
    }
    assert giving == MAKERS
