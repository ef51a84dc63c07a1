"""Every row of the table of deviations of the market for data, over HTTP, between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import fixed
from tests.scenarios.casts import COUNTS, Cast, Money
from tests.scenarios.stage import Stage
from tests.scenarios.waits import Waits, leaked
from tests.sdk.data.lying_agent import spoiled
from tongbao.kernel import Hash, Id
from tongbao.modules import data
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.judge import Verdict
from tongbao.rights.opened import Faulty
from tongbao.rights.schema import Row
from tongbao.sdk.client import Refused
from tongbao.sdk.data.fetching import DeliveryDiffers

UPHELD, REJECTED = "upheld", "rejected"
BACK = Money()
PAID = Money(buyer=-2_500, owner=1_900, seller=100)


def ended(market: Stage, order: str, phase: str) -> None:
    """Wait until an order has ended as it should."""
    assert market.town.reach(order, "lapsed", "settled", UPHELD, REJECTED) == phase


def test_never_sealed_money_is_back_and_nobody_has_data(waits: Waits) -> None:
    """
    Given an order that nobody seals,
    when `seal_by` passes,
    then the buyer has all back, nobody is at fault, and nobody has data.
    """
    end = waits.kept["never_sealed"]

    assert (end.phase, end.money, end.faults) == ("lapsed", BACK, (0, 0))
    assert end.cast.who_opens(end.order) == []


def test_cancelled_money_is_back_and_nobody_has_data(market: Stage) -> None:
    """
    Given an order that the agent's program has sealed, and that the buyer has fetched,
    when the buyer cancels,
    then all is back, the bond of the agent is free, and nobody has data.
    """
    cast = market.cast("carol")
    before = cast.reserved()
    order = cast.sealed()
    cast.fetch(order)
    cast.buyer.cancel(order)

    assert (cast.money(), cast.reserved() - before) == (BACK, 0)
    assert cast.who_opens(order) == []


def test_withdrawn_money_is_back_and_nobody_has_data(market: Stage) -> None:
    """
    Given an order that the agent's program has sealed, and that the buyer has fetched,
    when the owner withdraws,
    then all is back, the buyer can confirm no more, and nobody has data.
    """
    cast = market.cast("carol")
    order = cast.sealed()
    cast.fetch(order)
    market.town.send(cast.owns, data.WithdrawOrder(order=Id(order)))
    with pytest.raises(Refused):
        cast.buyer.confirm(order)

    assert (cast.money(), cast.who_opens(order)) == (BACK, [])


def test_buyer_takes_package_and_a_never_confirms(waits: Waits) -> None:
    """
    Given a buyer with package and `a` of the agent's program,
    when it never confirms,
    then money is back, the lapse is its own, and it has ciphertext only.
    """
    end = waits.kept["never_confirmed"]

    assert (end.phase, end.money, end.faults) == ("lapsed", BACK, (1, 0))
    assert end.cast.folder.package(end.order).exists()
    assert end.cast.who_opens(end.order) == []


@pytest.mark.parametrize("spoils", ["a", "chunk"])
def test_wrong_a_or_chunk_delivered_is_not_confirmed(market: Stage, spoils: str) -> None:
    """
    Given a sealed order,
    when the agent delivers another `a`, or a chunk with another bit,
    then the buyer does not confirm, has all back, and nobody has data.
    """
    cast = market.cast("cheat")
    order = cast.sealed()
    sold, row = cast.cheat.sold[order], market.town.row(order)
    assert row.grant_hash is not None
    info = envelope_info(bytes.fromhex(order), bytes.fromhex(row.grant_hash), sold.sealed)
    key = public_key_of(bytes.fromhex(cast.folder.deal(order).secret))
    spoilt: dict[str, dict[str, Any]] = {
        "a": {"envelope": put_into_envelope(key, fixed("another a"), info)},
        "chunk": {"chunks": [bytes([sold.chunks[0][0] ^ 1]) + sold.chunks[0][1:]]},
    }
    cast.cheat.sold[order] = spoiled(sold, **spoilt[spoils])
    with pytest.raises(DeliveryDiffers):
        cast.fetch(order)
    cast.buyer.cancel(order)

    assert (cast.money(), cast.reserved(), cast.who_opens(order)) == (BACK, 0, [])


def test_the_owner_never_reveals_and_the_fault_is_counted(waits: Waits) -> None:
    """
    Given an owner that sealed by itself, without a bond, and a buyer that confirmed,
    when the owner never reveals,
    then money is back, the fault is the owner's, and nobody has data.
    """
    end = waits.kept["owner_never_reveals"]

    assert (end.phase, end.money, end.faults) == ("lapsed", BACK, (0, 1))
    assert end.cast.who_opens(end.order) == []


def test_agent_never_reveals_and_its_bond_pays_the_owner(waits: Waits) -> None:
    """
    Given a confirmed order,
    when the agent never reveals,
    then money is back, its bond pays the owner the price, and nobody has data.
    """
    end = waits.kept["agent_never_reveals"]

    assert (end.money, end.faults) == (Money(owner=2_000, bond=-2_000), (0, 1))
    assert (end.phase, end.reserved, end.cast.who_opens(end.order)) == ("lapsed", 0, [])


def test_agent_leaks_b_and_its_bond_pays_the_owner(market: Stage, waits: Waits) -> None:
    """
    Given a confirmed order,
    when the agent gives `b` to the buyer beside the ledger, and never reveals,
    then money is back, the bond pays the owner, and the buyer can open, the onlooker can't.
    """
    end = waits.kept["agent_leaks_b"]
    cast, order = end.cast, end.order
    a = bytes.fromhex(cast.folder.deal(order).a)

    assert (end.phase, end.money) == ("lapsed", Money(owner=2_000, bond=-2_000))
    assert cast.opens(order, a, leaked(market, order))
    assert not cast.onlooker_opens(order)


def test_buyer_suspended_before_reveal_is_nobody_s_fault(waits: Waits) -> None:
    """
    Given a buyer that a registrar suspends before the reveal,
    when the agent's program is refused it and the deadline passes,
    then money is back, no bond pays, nobody is at fault, and nobody has data.
    """
    end = waits.kept["suspended_before_reveal"]

    assert (end.phase, end.money, end.faults) == ("lapsed", BACK, (0, 0))
    assert end.cast.who_opens(end.order) == []


def test_wrong_or_reused_b_stranger_s_reveal_and_replay_are_refused(market: Stage) -> None:
    """
    Given two confirmed orders of one cast, one of them revealed since,
    when the other gets a wrong `b`, that of the first, its own from a stranger, or the very same
    transaction once more,
    then each is refused, no money moves, and nobody has its data.
    """
    cast = market.cast("cheat")
    first, order = cast.revealed(), cast.confirmed()
    reused = market.town.row(first).b
    own = Hash(cast.cheat.sold[order].halves.b.hex())
    assert reused is not None
    money = cast.money()
    refused: list[int] = []
    for who, b in (
        (cast.seals, Hash(fixed("wrong").hex())),
        (cast.seals, reused),
        (cast.buys, own),
        ("agent47", own),
    ):
        with pytest.raises(Refused) as told:
            market.town.send(who, data.Reveal(order=Id(order), b=b))
        refused.append(told.value.number)
    wallet = market.town.wallets[cast.seals]
    transaction = wallet.build(data.Reveal(order=Id(first), b=reused))
    for _ in range(2):
        with pytest.raises(Refused):
            wallet.settle(transaction)

    lock, sealer = 11_048, 11_047  # LOCK_DOES_NOT_OPEN, SENDER_DID_NOT_SEAL
    assert refused == [lock, lock, sealer, sealer]
    assert (cast.money(), cast.who_opens(order)) == (money, [])


def shortened(cast: Cast, order: str) -> None:
    """Seal a month without its last row."""
    batch = cast.town.batches[cast.town.row(order).batches[0]]
    cast.cheat.seal(order, [replace(batch, rows=batch.rows[:-1])])


def altered(cast: Cast, order: str) -> None:
    """Seal a month with another value in a row."""
    batch = cast.town.batches[cast.town.row(order).batches[0]]
    first = Row(batch.rows[0].event, (batch.rows[0].values[0], 99, *batch.rows[0].values[2:]))
    cast.cheat.seal(order, [replace(batch, rows=(first, *batch.rows[1:]))])


def unreadable(cast: Cast, order: str) -> None:
    """Seal what is no package."""
    cast.cheat.seal_text(order, b"[\nthese are no rows\n]")


@pytest.mark.parametrize(
    ("sell", "ground"),
    [
        (shortened, Verdict.ROWS_ARE_MISSING),
        (altered, Verdict.ROW_IS_NOT_COMMITTED),
        (unreadable, Verdict.PACKAGE_DOES_NOT_OPEN),
    ],
)
def test_faulty_package_claim_upheld(
    market: Stage,
    panels: dict[str, str],
    sell: Callable[[Cast, str], None],
    ground: Verdict,
) -> None:
    """
    Given a faulty package,
    when the buyer claims, and three adjudicators' programs judge its evidence,
    then price and deposit are back, the agent's bond pays who voted, and the owner earns nothing.
    """
    cast = market.cast("cheat")
    order = cast.ordered()
    sell(cast, order)
    cast.revealed(order)
    with pytest.raises(Faulty):
        cast.buyer.rows(order)
    found = cast.buyer.claim(order)
    cast.buyer.show_panel(order, panels)
    ended(market, order, UPHELD)

    assert found == ground
    assert cast.money() == Money(buyer=-500, bond=-2_000)
    assert (cast.votes_won(), cast.reserved()) == (2_000, 0)


@pytest.mark.parametrize("forges", [False, True])
def test_false_or_forged_claim_is_rejected(
    market: Stage, panels: dict[str, str], forges: bool
) -> None:
    """
    Given a right package of the agent's program,
    when the buyer claims in spite of it, also with evidence that it has altered,
    then the owner is paid, the deposit is the voters', and the buyer has the data.
    """
    cast = market.cast("carol")
    order = cast.revealed()
    rows = cast.who_opens(order)
    if forges:
        path = cast.folder.package(order)
        text = bytearray(path.read_bytes())
        text[0] ^= 1
        path.write_bytes(bytes(text))
    found = cast.buyer.claim(order, in_spite=True)
    cast.buyer.show_panel(order, panels)
    ended(market, order, REJECTED)

    assert (found == Verdict.OK, rows) == (not forges, ["buyer"])
    assert cast.money() == Money(buyer=-3_500, owner=1_900, seller=100)
    assert cast.votes_won() == 1_000


def test_buyer_silent_after_reveal_pays_the_owner(waits: Waits) -> None:
    """
    Given a revealed order,
    when the buyer is silent until the deadline,
    then the owner is paid, and the buyer has the rows.
    """
    end = waits.kept["silent_after_reveal"]

    assert (end.phase, end.money) == ("settled", PAID)
    assert end.cast.who_opens(end.order) == ["buyer"]


def test_onlooker_with_ledger_and_package_has_nothing_without_a(market: Stage) -> None:
    """
    Given an order that the agent's program has revealed, so that `b` is public,
    when an onlooker has the ciphertext too, and tries every two hashes of the order,
    then nothing opens; the program gives it neither envelope nor chunks; the buyer reads all.
    """
    cast = market.cast("carol")
    order = cast.sealed()
    with cast.asking("bank") as stranger:
        places = (f"/v1/deliveries/{order}", f"/v1/deliveries/{order}/chunks")
        told = [stranger.get(place).status_code for place in places]
    cast.revealed(order)

    assert (told, cast.onlooker_opens(order)) == ([404, 404], False)
    assert [row.values["count"] for row in cast.buyer.rows(order)] == list(COUNTS)
    cast.buyer.accept(order)
