"""What follows a reveal in the model: licences, claims, and who stays for them."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import grants, market, money
from tongbao.simulation.model.books import Turn, need, write_amount
from tongbao.simulation.model.market import MODULE, VAULT, Row, acts_as, earn, give, units
from tongbao.simulation.model.numbers import DataWhy

SEATS: Final = 3


def attest_deletion(turn: Turn, msg: Row) -> None:
    """The buyer has deleted it."""
    licences, name = turn.books.data_licences, msg["licence"]
    need(name in licences, DataWhy.LICENCE_NOT_FOUND)
    licence = licences[name]
    need(licence["buyer"] == turn.sender, DataWhy.SENDER_IS_NOT_BUYER)
    need(turn.time < over_at(turn, licence), DataWhy.DEADLINE_HAS_PASSED)
    give(turn, licence["buyer"], licence["asset"], units(licence["bond"]))
    attested = {"attested": True, "attestation_hash": msg["attestation_hash"]}
    _over(turn, name, attested)


def _over(turn: Turn, name: str, said: Row) -> None:
    licence = turn.books.data_licences.pop(name)
    turn.events.append({"@type": "data.deleted", "order": licence["order"]} | said)


def over_at(turn: Turn, licence: Row) -> int:
    """When a licence ends: later where the network was not there to look at it."""
    late: int = turn.time - licence["next_at"]
    left: int = licence["delete_by"] - licence["next_at"]
    if late > turn.values["data.halt_ms"]:
        return turn.time + max(late, 2 * left)
    return int(licence["delete_by"])


def forfeit(turn: Turn, name: str) -> None:
    """The buyer has not; or it is not time yet, since nobody could say so for a while."""
    licence = turn.books.data_licences[name]
    until = over_at(turn, licence)
    if until > turn.time:
        later = {"delete_by": until, "next_at": grants.looked_at(turn, until)}
        turn.books.data_licences[name] = licence | later
    else:
        earn(turn, licence["owner"], licence["asset"], units(licence["bond"]))
        _over(turn, name, {})


def claim(turn: Turn, msg: Row) -> None:
    """The buyer says that it is faulty."""
    name = msg["order"]
    order = grants.running(turn, msg, "revealed")
    need(order["buyer"] == turn.sender, DataWhy.SENDER_IS_NOT_BUYER)
    panel = drawn(turn, name, order)
    need(len(panel) == SEATS, DataWhy.PANEL_IS_TOO_SMALL)
    count = market.least(turn, order["price"], 10)
    deposit = write_amount(count, turn.books.assets[order["asset"]].scale)
    if count:
        paid = {"asset": order["asset"], "amount": deposit}
        money.pay(turn, paid, order["buyer"], VAULT, by=MODULE)
    said: dict[str, Any] = {"panel": panel, "votes": [None] * SEATS, "deposit": deposit}
    said |= {"evidence_hash": msg["evidence_hash"]}
    grants.move(turn, name, "claimed", turn.values["data.verdict_ms"], **said)


def drawn(turn: Turn, name: str, order: Row) -> list[str]:
    """The three of the smallest hashes."""
    acting = turn.books.acting
    parties = [order[role] for role in ("buyer", "owner", "seller")]
    interested = {acting[party] for party in parties if party in acting}
    seed = [bytes.fromhex(part) for part in (name, order["b"], order["nonce"])]
    found = []
    for one in turn.books.data_adjudicators:
        fits = acts_as(turn, one, "adjudicator") and acting[one] not in interested
        if fits and one not in parties:
            found.append((market.digest("panel", *seed, bytes.fromhex(one)), one))
    return [one for _, one in sorted(found)[:SEATS]]


def vote(turn: Turn, msg: Row) -> None:
    """A verdict."""
    name, verdict = msg["order"], msg["verdict"]
    order = grants.known(turn, msg)
    need(order["phase"] == "claimed", DataWhy.ORDER_IS_ELSEWHERE)
    if "late" in order or turn.time >= grants.ends(turn, order):
        supervises = acts_as(turn, turn.sender, "supervisor")
        need(supervises, DataWhy.SENDER_IS_NOT_ON_PANEL)
        decide(turn, name, verdict)
        return
    need(turn.sender in order["panel"], DataWhy.SENDER_IS_NOT_ON_PANEL)
    seat = order["panel"].index(turn.sender)
    votes = list(order["votes"])
    need(votes[seat] is None, DataWhy.SENDER_HAS_VOTED)
    votes[seat] = verdict
    turn.books.data_orders[name] = order | {"votes": votes}
    if votes.count(verdict) == 2:
        decide(turn, name, verdict)


def decide(turn: Turn, name: str, verdict: str) -> None:
    """Who was right has the money."""
    order = turn.books.data_orders[name]
    asset, deposit = order["asset"], units(order["deposit"])
    if verdict == "rejected":
        share(turn, order, deposit, order["owner"])
        grants.settle(turn, name, "rejected")
        return
    give(turn, order["buyer"], asset, units(order["price"]) + deposit)
    grants.end(turn, name, "upheld")
    if "secured" in order:
        secured = units(order["secured"])
        market.change_bond(turn, order["seller"], asset, -secured, 0)
        share(turn, order, secured, order["buyer"])


def share(turn: Turn, order: Row, count: int, harmed: str) -> None:
    """The voters share; the first has what can't be divided."""
    voters = [
        one for one, said in zip(order["panel"], order["votes"], strict=True) if said is not None
    ]
    voters = voters or [harmed]
    for one in voters:
        earn(turn, one, order["asset"], count // len(voters))
    earn(turn, voters[0], order["asset"], count % len(voters))


def keep_parties(turn: Turn, closing: str) -> None:
    """Whoever has business stays."""
    books = turn.books
    sealed = [row for row in books.data_orders.values() if row["phase"] in grants.RUNNING]
    involved = [row[role] for row in sealed for role in ("buyer", "owner", "seller") if role in row]
    involved += [row[role] for row in books.data_licences.values() for role in ("buyer", "owner")]
    involved += [row["owner"] for row in books.data_offers.values()]
    involved += [party for party, _ in [*books.data_bonds, *books.data_earnings]]
    involved += [*books.data_enterprises, *books.data_adjudicators]
    need(closing not in involved, DataWhy.PARTY_CANNOT_CLOSE)


RULES: Final = {
    "data.attest_deletion": attest_deletion,
    "data.claim": claim,
    "data.vote": vote,
}
