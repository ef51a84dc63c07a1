"""The acts of a supervisor or issuer on holdings, found through the index, read as rows.

An act is a row of its own, listed under whom it hit. Whoever did it finds it through what its
account sent: the index has these transactions, their receipts name the acts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tongbao.console.asking import not_understood
from tongbao.console.site import Site
from tongbao.index.answers import Recalled
from tongbao.index.database import FAILURES
from tongbao.kernel import Address, Id
from tongbao.modules import asset
from tongbao.modules.asset import Act, Controlled
from tongbao.store.errors import Pruned

TRANSACTIONS: Final = 100
"""Transactions of the account whose acts are on one page."""
PAGES: Final = 3
"""Pages of transactions that are looked through for freezes in force."""
FROZEN: Final = "frozen"


class Done(NamedTuple):
    """An act, the transaction that it was done by, and whether it is a freeze in force."""

    id: Id
    act: Act
    transaction: str
    in_force: bool


class Acts(NamedTuple):
    """Acts of some transactions, the newest first, or the key of the text why there are none.

    `before` is where older ones begin, if there are any; `pruned` how many transactions' bodies
    were given up here; `height` is what the index knows.
    """

    done: tuple[Done, ...] = ()
    before: str | None = None
    pruned: int = 0
    height: int = -1
    why: str = ""


def acts_by(site: Site, actor: Address, before: str | None, now: int) -> Acts:
    """The acts in one page of an account's transactions, by a time of ms UTC. Raises PageError."""
    if site.index is None:
        return Acts(why="account.no_index")
    try:
        page = site.index.transactions_of(actor, before=before, limit=TRANSACTIONS)
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    except FAILURES:
        return Acts(why="account.index_failed")
    found: list[Done] = []
    pruned = 0
    for one in page.transactions:
        if one.sender != actor or one.number:
            continue
        told = _told(site, one, actor)
        if told is None:
            pruned += 1
        else:
            found += [_done(site, act, one.id, now) for act in reversed(told)]
    return Acts(tuple(found), page.before, pruned, page.height)


def _told(site: Site, one: Recalled, actor: Address) -> list[Id] | None:
    """The acts that a transaction's receipt names; None where its body was given up."""
    try:
        receipt = site.chain.block(one.height).receipts[one.index]
    except Pruned:
        return None
    events = site.chain.registry.receipt_decoder.decode(receipt).events
    return [event.act for event in events if isinstance(event, Controlled) and event.by == actor]


def _done(site: Site, identifier: Id, transaction: str, now: int) -> Done:
    """An act as its row has it; rows of acts stay for ever."""
    raw = site.chain.row("asset.acts", identifier)
    assert raw is not None, identifier
    act: Act = site.chain.registry.table("asset.acts").decode(raw)
    return Done(identifier, act, transaction, _is_in_force(site, act, now))


def _is_in_force(site: Site, act: Act, now: int) -> bool:
    """Whether an act is a freeze that stands, and has been neither replaced nor ended."""
    if act.kind != FROZEN or act.until is None or act.until <= now:
        return False
    standing = site.chain.query(asset.standing_of, act.account, act.asset)
    if standing is None:
        return False
    frozen = {
        "issuer": standing.frozen_by_issuer,
        "supervisor": standing.frozen_by_supervisor,
    }[act.capacity]
    return frozen is not None and (frozen.by, frozen.since, frozen.until) == (
        act.by,
        act.at,
        act.until,
    )


def in_force(site: Site, actor: Address, first: Acts, now: int) -> tuple[list[Done], bool]:
    """The freezes in force of an account, the first to end first, and whether all were looked at.

    Begins with the newest page, and goes on with older ones up to a bound.
    """
    page, found = first, [*first.done]
    for _ in range(PAGES - 1):
        if page.before is None:
            break
        page = acts_by(site, actor, page.before, now)
        found += page.done
    standing = [done for done in found if done.in_force]
    return sorted(standing, key=lambda done: done.act.until or 0), page.before is None
