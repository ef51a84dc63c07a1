"""Offers and their end: told to the ledger, then agents get what they name, and nothing more."""

from __future__ import annotations

from msgspec import Struct

from tongbao.kernel import Amount, AssetId, Id, Time
from tongbao.modules import data
from tongbao.services.my_data.copies import Settled, settle_copies
from tongbao.services.my_data.ledger import earnings_of
from tongbao.services.my_data.person import Person


class Terms(Struct, frozen=True, kw_only=True):
    """What rows may be sold for, as the person says it."""

    schema: str
    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    mode: str
    regions: tuple[str, ...]
    retention_ms: int
    asset: str
    price: str
    floor: str
    daily_cap: int
    expires_at: int


class NotFound(Exception):
    """No offer and no order of the person has this id."""

    exit_code = 4
    advice = "see `tongbao mydata offers` and `tongbao mydata requests`"


def offer(person: Person, terms: Terms, agent: str | None) -> tuple[str, Settled]:
    """Make an offer; `agent` is the address of one that seals for it. Its id, and what followed.

    Raises Refused, AgentError.
    """
    account = None if agent is None else person.meet(agent)
    applied = person.wallet.send(
        data.MakeOffer(
            schema=data.Schema(terms.schema),
            fields=tuple(map(data.Field, terms.fields)),
            purposes=tuple(map(data.Purpose, terms.purposes)),
            mode=data.Mode(terms.mode),
            regions=tuple(map(data.Region, terms.regions)),
            retention_ms=data.Lasting(terms.retention_ms),
            asset=AssetId(terms.asset),
            price=Amount(terms.price),
            floor=Amount(terms.floor),
            daily_cap=data.DailyCap(terms.daily_cap),
            expires_at=Time(terms.expires_at),
            agent=account,
        )
    )
    settled = settle_copies(person, person.owned())
    person.put_notebook()
    return applied.made, settled


def withdraw(person: Person, name: str) -> tuple[str, Settled]:
    """Take back an offer, or say no to an order: which of both it was, and what followed.

    In force from the next block on; an agent that is away hears of it by the ledger. Raises
    NotFound, Refused.
    """
    owned = person.owned()
    if name in owned.offers:
        what = "offer"
        person.wallet.send(data.WithdrawOffer(offer=Id(name)))
    elif name in owned.orders:
        what = "order"
        person.wallet.send(data.WithdrawOrder(order=Id(name)))
    else:
        raise NotFound(f"no offer and no order of yours has the id {name[:60]!r}")
    settled = settle_copies(person, person.owned())
    person.put_notebook()
    return what, settled


def pull(person: Person) -> dict[str, str]:
    """Take everything that was earned, in every asset: what came of it."""
    found = earnings_of(person.chain, person.account)
    for asset in found:
        person.wallet.send(data.Pull(asset=AssetId(asset)))
    return {str(asset): amount for asset, amount in found.items()}
