"""Make a compliance pack: out of receipts, and what a chain proves of their orders.

The rows say by which steps each order has gone; the transactions of these steps are looked for in
what happened, from a cursor on, and each is proven. What was made is verified before it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from tongbao.kernel import Address, Hash, Id, jcs
from tongbao.modules import data
from tongbao.modules.data import Order
from tongbao.modules.data.tables import CLAIMED, CONFIRMED, OPEN, REVEALED, SEALED
from tongbao.rights.receipt import Receipt, read_receipt, request_in
from tongbao.rights.requests import request_bytes
from tongbao.sdk.answers import Happening
from tongbao.sdk.client import Client
from tongbao.sdk.data import pack as form
from tongbao.sdk.data.pack import Grant, Pack, Role, named
from tongbao.sdk.data.pack_grants import MAKERS
from tongbao.sdk.data.pack_verification import VerifiedPack, verify_pack
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.place import place_of
from tongbao.sdk.proofs import FORMAT, SOLO, to_json
from tongbao.sdk.zip_form import Members, ZipError, zip_pieces

BEGINNING: Final = "0.0"
"""The cursor before all that ever happened."""
ATTEMPTS: Final = 3
"""How often a pack is made anew because orders went on meanwhile."""


class PackError(ValueError):
    """There is no pack of what was asked; the text says what to do."""

    exit_code = 2


class Wanted(Struct, frozen=True, kw_only=True):
    """What a pack is asked to be: `first` <= time of the seal < `before`, in ms UTC.

    `deletions` are what a buyer attested, by order. `after` is a cursor before all that the grants
    need, their offers too: a node that has pruned earlier blocks is asked from there. `trust` is
    the file that the pack is verified by; a network's must be of a block before all of them, and
    without one a network's pack is made and not verified.
    """

    account: Address
    receipts: tuple[bytes, ...]
    deletions: Mapping[str, bytes] = field(default_factory=dict)
    assessment: bytes | None = None
    first: int = 0
    before: int
    after: str = BEGINNING
    trust: bytes | None = None


class Found(Struct):
    """What was found of an order: transactions by their places, its seal's time, its licence."""

    order: Order
    receipt: bytes
    owned: Receipt
    transactions: dict[str, str]
    sealed_at: int | None = None
    licence: Id | None = None


def make_pack(chain: Client, wanted: Wanted) -> tuple[bytes, VerifiedPack | None]:
    """The bytes of a pack, and what it proves, where it was verified.

    Raises PackError, LookupError (a block was pruned), NotProven, VerificationError.
    """
    trust = wanted.trust
    for _ in range(ATTEMPTS):
        content = _made(chain, wanted)
        if trust is None and chain.trust().engine != SOLO:
            return content, None
        judged_by = to_json(chain.trust()) if trust is None else trust
        try:
            return content, verify_pack(content, judged_by, chain.now(), partly=True)
        except VerificationError as error:
            if error.finding is not Finding.PACK_IS_WRONG:
                raise
            last = error
    raise PackError(f"orders went on while the pack was made, make it again: {last}")


def _made(chain: Client, wanted: Wanted) -> bytes:
    """The bytes of a pack, not verified."""
    rows = sorted(_rows(chain, wanted.receipts), key=lambda found: found.owned.order)
    founds: dict[str, Found] = {found.owned.order: found for found in rows}
    role = _role_of(wanted.account, founds.values())
    _find(chain, founds, wanted.after)
    inside = {
        name: found
        for name, found in founds.items()
        if found.sealed_at is not None and wanted.first <= found.sealed_at < wanted.before
    }
    if len(inside) > form.GRANTS_LIMIT:
        raise PackError(f"a pack has at most {form.GRANTS_LIMIT} grants: ask for a shorter period")
    pack = Pack(
        format=FORMAT,
        chain=chain.id,
        account=wanted.account,
        role=role,
        first_time=wanted.first,
        before_time=wanted.before,
        assessment=wanted.assessment is not None,
        grants=tuple(
            Grant(
                order=Id(name),
                transactions=tuple(Hash(one) for one in _in_order(found)),
                licence=found.licence,
                deleted=name in wanted.deletions,
            )
            for name, found in inside.items()
        ),
    )
    members = dict(_contents(chain, pack, inside, wanted))
    members[form.MANIFEST] = jcs.encode(form.manifest_of(pack, chain.trust().engine, members))
    try:
        return b"".join(zip_pieces(members.items()))
    except ZipError as error:
        raise PackError(f"{error}: ask for a shorter period") from None


def _rows(chain: Client, receipts: Iterable[bytes]) -> Iterator[Found]:
    """The orders of receipts, as they are now."""
    for text in receipts:
        receipt = read_receipt(text)
        if receipt.chain != chain.id:
            raise PackError(f"the receipt of order {receipt.order} is of chain {receipt.chain}")
        order = chain.query(data.order, receipt.order)
        if order is None or order.grant_hash is None:
            raise PackError(f"order {receipt.order} was never sealed on {chain.id}: leave it out")
        yield Found(order, text, receipt, {})


def _role_of(account: Address, founds: Iterable[Found]) -> Role:
    """Whether all are bought by an account, or all its own. Raises PackError."""
    parties = {(found.order.buyer, found.order.owner) for found in founds}
    if all(buyer == account for buyer, _ in parties):
        return "buyer"
    if all(owner == account for _, owner in parties):
        return "owner"
    raise PackError(f"not all receipts are of grants to {account}, nor all of grants by it")


def _in_order(found: Found) -> list[str]:
    """The transactions in the order in which they happened."""
    return [found.transactions[cursor] for cursor in sorted(found.transactions, key=place_of)]


# Finding


def _find(chain: Client, founds: Mapping[str, Found], after: str) -> None:
    """Find every transaction of the orders."""
    reached = {(name, phase) for name, found in founds.items() for phase in _phases(found.order)}
    for happening in _walk(chain, "data.reached", after, reached, _phases_in):
        for name, phase in _phases_in(happening):
            if name in founds:
                _note(founds[name], happening)
                if phase == SEALED:
                    founds[name].sealed_at = happening.time
                if phase == REVEALED:
                    founds[name].licence = _licence_in(happening, name)
    _find_offers(chain, founds, after)
    _find_votes(chain, founds, after)
    _find_deletions(chain, founds, after)


def _note(found: Found, happening: Happening) -> None:
    """Keep a transaction; due work is none, and nothing proves it in a network."""
    if happening.id:
        found.transactions[happening.cursor] = happening.id


def _phases(order: Order) -> list[str]:
    """The phases to which an order has come."""
    been: list[str] = [OPEN, SEALED]
    been += [CONFIRMED] if order.confirmed_at is not None else []
    been += [REVEALED] if order.b is not None else []
    been += [CLAIMED] if order.evidence_hash is not None else []
    return been if order.phase in been else [*been, order.phase]


def _find_offers(chain: Client, founds: Mapping[str, Found], after: str) -> None:
    offers = {str(found.order.offer) for found in founds.values()}
    for happening in _walk(chain, "data.make_offer", after, set(offers), _ids_in):
        made = set(_ids_in(happening))
        for found in founds.values():
            if found.order.offer in made:
                _note(found, happening)


def _find_votes(chain: Client, founds: Mapping[str, Found], after: str) -> None:
    votes = {
        (name, member)
        for name, found in founds.items()
        for member, vote in zip(found.order.panel, found.order.votes, strict=True)
        if vote is not None
    }
    for happening in _walk(chain, "data.vote", after, votes, _votes_in):
        for name, _ in _votes_in(happening):
            if name in founds:
                _note(founds[name], happening)


def _find_deletions(chain: Client, founds: Mapping[str, Found], after: str) -> None:
    ended = {
        name
        for name, found in founds.items()
        if found.licence is not None and chain.query(data.licence, found.licence) is None
    }
    for happening in _walk(chain, "data.deleted", after, ended, _deleted_in):
        for name in _deleted_in(happening):
            if name in founds:
                _note(founds[name], happening)


def _walk(chain: Client, kind: str, after: str, left: set[Any], look: Any) -> Iterator[Happening]:
    """What happened of a kind, until all that is sought is found.

    It is known to have happened: without an end, looking would wait for what comes next.
    """
    if not left:
        return
    for happening in chain.happenings(after, type=kind):
        if happening.number == 0:
            left.difference_update(look(happening))
            yield happening
            if not left:
                return


def _events_in(happening: Happening, kind: str) -> list[Any]:
    receipt = msgspec.json.decode(happening.receipt)
    return [event for event in receipt.get("events", ()) if event["@type"] == kind]


def _phases_in(happening: Happening) -> list[tuple[str, str]]:
    return [(one["order"], one["phase"]) for one in _events_in(happening, "data.reached")]


def _deleted_in(happening: Happening) -> list[str]:
    return [one["order"] for one in _events_in(happening, "data.deleted")]


def _ids_in(happening: Happening) -> list[str]:
    return list(msgspec.json.decode(happening.receipt).get("ids", ()))


def _votes_in(happening: Happening) -> list[tuple[str, str]]:
    messages = [msgspec.json.decode(one) for one in happening.messages]
    votes = [one for one in messages if one["@type"] == "data.vote"]
    return [(one["order"], happening.sender) for one in votes]


def _licence_in(happening: Happening, order: str) -> Id:
    """The licence that a reveal has made. Raises PackError where that can't be told."""
    messages = [msgspec.json.decode(one) for one in happening.messages]
    ids = _ids_in(happening)
    makers = [one for one in messages if one["@type"] in MAKERS]
    if len(makers) == len(ids):
        for message, made in zip(makers, ids, strict=True):
            if message.get("order") == order:
                return Id(made)
    raise PackError(f"order {order} was revealed among messages of others: leave it out")


# Writing


def _contents(
    chain: Client, pack: Pack, founds: Mapping[str, Found], wanted: Wanted
) -> Iterator[tuple[str, bytes]]:
    """Every member but the manifest, in order."""
    yield form.PACK, jcs.encode(pack)
    if wanted.assessment is not None:
        yield form.ASSESSMENT, wanted.assessment
    yield from ((named("receipts", name), found.receipt) for name, found in founds.items())
    for name, found in founds.items():
        yield named("requests", name), request_bytes(request_in(found.owned))
    proven = _proven(chain, founds)
    yield from proven.items()
    for name in founds:
        if name in wanted.deletions:
            yield named("deletions", name), wanted.deletions[name]
    every = {one for grant in pack.grants for one in grant.transactions}
    for one in sorted(every):
        yield named("transactions", one), to_json(chain.prove_transaction(one))


def _proven(chain: Client, founds: Mapping[str, Found]) -> Members:
    """The rows of orders and licences."""
    rows = {named("rows", name): to_json(chain.prove_row("data.orders", name)) for name in founds}
    licences = {
        named("licences", name): to_json(chain.prove_row("data.licences", found.licence))
        for name, found in founds.items()
        if found.licence is not None
    }
    return rows | licences
