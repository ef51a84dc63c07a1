"""Erasing: one action that ends a month of rows everywhere, is gone on with, and leaves a receipt.

What is erased is noted first. Then, in this order, each step safe to take again: the ledger is told
(`data.retire`), orders for it are withdrawn, offers with nothing left to sell are withdrawn, agents
and the store destroy what they have. All versions of the month go. Whoever bought rows before keeps
them until their licence ends: the receipt names them.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.sdk.client import Refused
from tongbao.services.my_data.agents import AgentError
from tongbao.services.my_data.ledger import MAY_WITHDRAW, Owned
from tongbao.services.my_data.notebook import Erasure, Holder
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.shelf import STORE_ERRORS

DUE_MS: Final = 86_400_000
"""Within a day everybody who keeps rows for the person must have erased them."""

STORE: Final = "store"


class NothingToErase(Exception):
    """No batch of the person has this id or commitment."""

    exit_code = 4
    advice = "see `tongbao mydata batches`"


def erase(person: Person, batch: str) -> list[Erasure]:
    """Erase a batch, by its id or commitment, with all versions of its month."""
    owned = person.owned()
    found = owned.of_commitment(batch)
    name = batch if found is None else found[0]
    if name not in owned.batches:
        raise NothingToErase(f"no batch of yours is {batch[:64]!r}")
    return _erase(person, owned, list(owned.month_of(name)))


def erase_all(person: Person) -> list[Erasure]:
    """Erase every batch that there is or was, and whatever else lies in the space at the store."""
    owned = person.owned()
    done = _erase(person, owned, list(owned.batches))
    for name in person.litter():
        person.shelf.destroy(name)
    return done


def _erase(person: Person, owned: Owned, names: list[str]) -> list[Erasure]:
    known = {one.batch for one in person.notebook.erasures}
    added = tuple(_begun(person, owned, name) for name in names if name not in known)
    if added:
        person.home.note(erasures=(*person.notebook.erasures, *added))
    go_on_erasing(person, owned)
    person.put_notebook()
    return [one for one in person.notebook.erasures if one.batch in names]


def _begun(person: Person, owned: Owned, name: str) -> Erasure:
    now = person.now()
    return Erasure(
        agents={},
        asked_at=now,
        batch=name,
        commitment=owned.batches[name].commitment,
        due_at=now + DUE_MS,
        holders=_holders(owned, name),
    )


def _holders(owned: Owned, name: str) -> tuple[Holder, ...]:
    return tuple(
        Holder(buyer=licence.buyer, delete_by=licence.delete_by, order=licence.order)
        for licence in owned.licences.values()
        if name in owned.orders[licence.order].batches
    )


def go_on_erasing(person: Person, owned: Owned) -> None:
    """Take every step that is left of every erasure, those that only the ledger knows of too.

    What a backup of the store or of an agent brought back goes again.
    """
    _note_those_of_ledger(person, owned)
    erasing = {one.batch for one in person.notebook.erasures}
    if not erasing:
        return
    _tell_ledger(person, owned, erasing)
    there = _at_agents(person)
    try:
        at_store: frozenset[str] | None = person.shelf.names()
    except STORE_ERRORS:
        at_store = None
    done = tuple(_destroyed(person, one, there, at_store) for one in person.notebook.erasures)
    batches = tuple(one for one in person.notebook.batches if one.batch not in erasing)
    if (done, batches) != (person.notebook.erasures, person.notebook.batches):
        person.home.note(erasures=done, batches=batches)


def _note_those_of_ledger(person: Person, owned: Owned) -> None:
    """A folder that was made again has no note of what the ledger says was retired."""
    known = {one.batch for one in person.notebook.erasures}
    missing = [name for name in owned.batches if name not in known and owned.is_erased(name)]
    if missing:
        added = tuple(_begun(person, owned, name) for name in missing)
        person.home.note(erasures=(*person.notebook.erasures, *added))


def _tell_ledger(person: Person, owned: Owned, erasing: set[str]) -> None:
    """Retire batches, and withdraw the orders and offers that would be of nothing."""
    messages: list[data.Retire | data.WithdrawOrder | data.WithdrawOffer] = []
    messages += [data.WithdrawOffer(offer=Id(name)) for name in _emptied(owned, erasing)]
    orders = owned.orders_of(frozenset(erasing), MAY_WITHDRAW)
    messages += [data.WithdrawOrder(order=Id(name)) for name in orders]
    # Last: as long as a batch is live, whoever was killed knows that all of it is still to be sent.
    messages += [data.Retire(batch=Id(name)) for name in sorted(erasing) if owned.is_live(name)]
    for message in messages:
        try:
            person.wallet.send(message)
        except Refused as error:
            # It came to its end in the meantime: an order settled, an offer expired.
            if error.number not in _TOO_LATE:
                raise
    _read_again(person, owned)


_TOO_LATE: Final = tuple(
    why.number
    for why in (
        data.Why.BATCH_IS_NOT_LIVE,
        data.Why.ORDER_IS_ELSEWHERE,
        data.Why.DEADLINE_HAS_PASSED,
        data.Why.OFFER_NOT_FOUND,
    )
)


def _read_again(person: Person, owned: Owned) -> None:
    fresh = person.owned()
    owned.__dict__.update(fresh.__dict__)


def _emptied(owned: Owned, erasing: set[str]) -> list[str]:
    """Offers of schemas of which rows were to be sold, and nothing is left."""
    left = {
        row.schema
        for name, row in owned.batches.items()
        if owned.is_live(name) and name not in erasing
    }
    gone = {owned.batches[name].schema for name in erasing if owned.is_live(name)} - left
    return [name for name, offer in owned.offers.items() if offer.schema in gone]


def _at_agents(person: Person) -> dict[str, frozenset[str] | None]:
    """The batches that each agent has; None of one that does not answer."""
    found: dict[str, frozenset[str] | None] = {}
    for agent in person.notebook.agents:
        try:
            found[agent] = frozenset(person.door(agent).copies())
        except AgentError:
            found[agent] = None
    return found


def _destroyed(
    person: Person,
    erasure: Erasure,
    there: dict[str, frozenset[str] | None],
    at_store: frozenset[str] | None,
) -> Erasure:
    """One erasure after whoever can be reached has destroyed what it had."""
    agents, left = dict(erasure.agents), []
    for agent, copies in there.items():
        if copies is None:
            left.append(agent)
        elif erasure.batch in copies:
            try:
                agents[agent] = person.door(agent).delete_copy(erasure.batch)
            except AgentError:
                left.append(agent)
    receipt = erasure.store
    if at_store is None:
        left.append(STORE)
    elif receipt is None or erasure.commitment in at_store:
        receipt, left = _at_store(person, erasure.commitment, left)
    done_at = erasure.done_at
    if not left and done_at is None:
        done_at = person.now()
    return replace(
        erasure,
        agents=agents,
        done_at=None if left else done_at,
        left=tuple(left),
        retired=True,
        store=receipt,
    )


def _at_store(
    person: Person, commitment: str, left: list[str]
) -> tuple[dict[str, str | int] | None, list[str]]:
    try:
        return person.shelf.destroy(commitment), left
    except STORE_ERRORS:
        return None, [*left, STORE]
