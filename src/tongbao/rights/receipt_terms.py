"""What one grant says, as facts: all else in its receipt follows from these."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from tongbao.kernel import Address, Amount, AssetId, ChainId, Hash, Id
from tongbao.modules.data.types import (
    BATCHES_LIMIT,
    LONGEST_MS,
    Field,
    Mode,
    Purpose,
    Region,
    Schema,
)
from tongbao.modules.member import Lei, MemberName
from tongbao.rights.limits import FIELDS_LIMIT
from tongbao.rights.requests import Why

LAST_TIME: Final = 253_402_300_799_999
"""The last millisecond of the year 9999: later times have no ISO 8601 form that all can read."""

Moment = Annotated[int, Meta(ge=0, le=LAST_TIME)]


class Institution(Struct, frozen=True, forbid_unknown_fields=True):
    """A member of the consortium, as the ledger names it: never a person."""

    lei: Lei
    name: MemberName


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of a grant. Times are ms UTC, `region` is the buyer's.

    `institution` is the member that the buyer's account acts for, where it acts for one. `seller`
    is who seals: the owner, or the agent that the offer names. `retention_ms` is the offer's.
    """

    chain: ChainId
    order: Id
    offer: Id
    owner: Address
    seller: Address
    buyer: Address
    institution: Institution | None = None
    region: Region
    schema: Schema
    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=FIELDS_LIMIT)]
    batches: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=BATCHES_LIMIT)]
    purpose: Purpose
    why: Why
    mode: Mode
    asset: AssetId
    price: Amount
    fee: Amount
    deletion_bond: Amount
    retention_ms: Annotated[int, Meta(ge=1, le=LONGEST_MS)]
    delete_by: Moment
    made_at: Moment
    request_hash: Hash


def written(ms: int) -> str:
    """A time as ISO 8601 to the millisecond: `2026-11-30T08:00:00.000Z`."""
    when = datetime.fromtimestamp(ms // 1_000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{ms % 1_000:03}Z"


def milliseconds(text: str) -> int:
    """The reverse of `written`. Raises ValueError."""
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000
