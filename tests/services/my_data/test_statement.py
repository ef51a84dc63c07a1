"""What came to a person: lines whose sum is what is pulled, also where others were at fault."""

from __future__ import annotations

from tests.sdk.data.granted import ALICE, BOB, CNY, DAVE, KEEP_MS, Granted
from tests.sdk.data.granted_chains import SECOND, Solo
from tongbao.kernel import Address
from tongbao.services.my_data.ledger import Owned, earnings_of
from tongbao.services.my_data.statement import Earned, look_for_bonds, statement


def kinds(lines: tuple[Earned, ...]) -> list[tuple[str, str, int]]:
    """Of each line what it is, the amount, and of how many orders."""
    assert {(one.buyer, one.asset) for one in lines} == {(BOB, CNY)}
    return [(one.kind, one.amount, one.grants) for one in lines]


def owned_by(market: Granted, owner: Address) -> Owned:
    """What the ledger has of somebody now."""
    return Owned(market.backing.chain(), owner)


def test_money_of_agents_and_buyers_at_fault_has_lines_of_its_own() -> None:
    """
    Given two sales of alice's, of which bob attests one's deletion and lets the other's bond go,
    and an order that her agent lets lapse after bob's confirmation,
    when her statement is made, and made again with a look at the events,
    then price, compensation and bond are told apart, and their sum is what she can pull.
    """
    market = Granted(Solo())
    market.delete(market.accept())
    market.accept()
    market.confirm()
    market.pass_time(KEEP_MS + 60 * SECOND)
    owned = owned_by(market, ALICE)
    first = statement(owned)
    assert first.bonds_unknown == 2
    assert kinds(first.lines) == [("grant", "38.00", 2), ("lapse", "20.00", 1)]
    found = statement(owned, look_for_bonds(owned))
    assert found.bonds_unknown == 0
    assert kinds(found.lines) == [
        ("bond", "5.00", 1),
        ("grant", "38.00", 2),
        ("lapse", "20.00", 1),
    ]
    assert found.totals == earnings_of(owned.chain, ALICE) == {CNY: "63.00"}


def test_who_seals_alone_earns_the_fee_and_owes_nobody_for_a_lapse() -> None:
    """Given dave, who sells without an agent, when he is paid, and lets one lapse, then the sum."""
    market = Granted(Solo())
    market.delete(market.accept("dave", "dave"))
    market.confirm("dave", "dave")
    market.pass_time(KEEP_MS)
    owned = owned_by(market, DAVE)
    found = statement(owned, look_for_bonds(owned))
    assert kinds(found.lines) == [("grant", "20.00", 1)]
    assert found.totals == earnings_of(owned.chain, DAVE)
