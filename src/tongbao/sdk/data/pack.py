"""The compliance pack: what was granted in a period, and the proofs of it, in one archive.

Members, in this order (all JSON in RFC 8785 form but the assessment):

    pack.json                  whose pack it is, of which period, and its grants
    assessment.txt             the enterprise's assessment, as it wrote it; may be left out
    receipts/ORDER.json        the receipt of each grant
    requests/ORDER.json        the request that it answered
    rows/ORDER.json            proof file of the order as it is on the ledger
    licences/ORDER.json        of one that was revealed: proof file of the licence, or that it ended
    deletions/ORDER.json       of one that was deleted: what the buyer attested
    transactions/ID.json       proof file of each transaction by which it went
    manifest.json              format, chain, what law asks for which members, and size and SHA-256
                               of every member before it

docs/operate/data-pack.md tells what a pack proves, and what not.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tongbao.kernel import Address, ChainId, Count, Id
from tongbao.sdk.bundle import Hash, ManifestLine, Moment
from tongbao.sdk.proofs import FORMAT
from tongbao.sdk.zip_form import Members

KIND: Final = "tongbao-data-pack"
GRANTS_LIMIT: Final = 1_200
"""Grants of a pack: with 16 members each they stay below the 20,000 of an archive."""
TRANSACTIONS_LIMIT: Final = 16
"""Transactions of one grant: its offer, 5 steps, a claim, 3 votes, an end, a deletion, freezes."""
ASSESSMENT_BYTES_LIMIT: Final = 1_048_576
KEPT_MS: Final = 1_096 * 86_400_000
"""Three years."""

PACK: Final = "pack.json"
ASSESSMENT: Final = "assessment.txt"
MANIFEST: Final = "manifest.json"

Role = Literal["buyer", "owner"]


class Grant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A grant, and by which transactions it went, in their order; the first are its offer's.

    `licence` is there once it was revealed, `deleted` where what the buyer attested is a member.
    """

    order: Id
    transactions: Annotated[tuple[Hash, ...], Meta(max_length=TRANSACTIONS_LIMIT)]
    licence: Id | None = None
    deleted: bool = False


class Pack(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"first_time": "from", "before_time": "to"},
):
    """The grants of an account that were sealed in blocks with `from` <= time < `to`, in ms UTC.

    They ascend by the ids of their orders.
    """

    format: int
    chain: ChainId
    account: Address
    role: Role
    first_time: Moment
    before_time: Moment
    assessment: bool
    grants: Annotated[tuple[Grant, ...], Meta(max_length=GRANTS_LIMIT)]


class LawLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a law asks, and the members that answer it."""

    law: str
    asks: str
    members: tuple[str, ...]


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the archive is. `keep_until` is in ms UTC."""

    format: int
    kind: str
    engine: str
    chain: ChainId
    keep_until: Count
    law: tuple[LawLine, ...]
    members: tuple[ManifestLine, ...]


def names_of(pack: Pack) -> list[str]:
    """The members of a pack of these grants, in their order."""
    return [PACK, *([ASSESSMENT] if pack.assessment else ()), *_of_grants(pack), MANIFEST]


def _of_grants(pack: Pack) -> Iterator[str]:
    grants = pack.grants
    yield from (named("receipts", grant.order) for grant in grants)
    yield from (named("requests", grant.order) for grant in grants)
    yield from (named("rows", grant.order) for grant in grants)
    yield from (named("licences", grant.order) for grant in grants if grant.licence)
    yield from (named("deletions", grant.order) for grant in grants if grant.deleted)
    every = {one for grant in grants for one in grant.transactions}
    yield from (named("transactions", one) for one in sorted(every))


def named(folder: str, name: str) -> str:
    """The member of a folder that is about an order or a transaction."""
    return f"{folder}/{name}.json"


def manifest_of(pack: Pack, engine: str, members: Members) -> Manifest:
    """The manifest of a pack with these members before it."""
    return Manifest(
        format=FORMAT,
        kind=KIND,
        engine=engine,
        chain=pack.chain,
        keep_until=Count(pack.before_time + KEPT_MS),
        law=law_of(pack),
        members=tuple(
            ManifestLine(name=name, bytes=Count(len(content)), sha256=sha256(content).hexdigest())
            for name, content in members.items()
            if name != MANIFEST
        ),
    )


def law_of(pack: Pack) -> tuple[LawLine, ...]:
    """The articles of China's Personal Information Protection Law that a pack answers."""
    assessed = (ASSESSMENT,) if pack.assessment else ()
    return (
        LawLine(
            law="PIPL 23",
            asks="separate consent to giving data to this recipient, in this way, for this purpose",
            members=("receipts/", "transactions/"),
        ),
        LawLine(
            law="PIPL 55",
            asks="an assessment before personal information is given to others",
            members=assessed,
        ),
        LawLine(
            law="PIPL 56",
            asks="the assessment and records of handling, kept for at least three years",
            members=(*assessed, "requests/", "rows/", "licences/", "deletions/", "transactions/"),
        ),
    )
