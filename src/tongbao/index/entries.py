"""What a block's record says that the index keeps: who did what, and what moved.

Everything here was checked before it stood in the log, so it is only picked out: the payload is the
middle part of a compact JWS, or a member of the general JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import msgspec
import pybase64
from msgspec import Struct

from tongbao.kernel import TransactionReference
from tongbao.kernel.row_keys import encode_text
from tongbao.kernel.schema import wire_name_of
from tongbao.kernel.state import after_prefix
from tongbao.modules import asset
from tongbao.modules.asset.tables import holdings
from tongbao.store.record import BlockRecord, has_happened

MOVED: Final = wire_name_of(asset.Moved)
PAYING: Final = frozenset(map(wire_name_of, (asset.Issue, asset.Redeem, asset.Transfer)))
"""Messages that make exactly one movement each, so that movements and messages pair in order."""

ASSETS_REMEMBERED: Final = 4_096
_key_of: Final = itemgetter(0)


class Moving(Struct, frozen=True, array_like=True, gc=False):
    """A movement as a chunk keeps it.

    `payer_held` and `payee_held` are the units that the two hold after the *block*, None where the
    block has not changed them. From these every balance is found without a row for each.
    """

    asset: str
    amount: str
    payer: str | None
    payee: str | None
    reference: str | None
    payer_held: int | None
    payee_held: int | None


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """A transaction as a chunk keeps it; due work has no id and no sender."""

    id: bytes
    sender: str
    number: int
    reference: str | None
    moved: tuple[Moving, ...]
    references: tuple[str, ...]


class _Event(Struct, rename={"type": "@type"}, gc=False):
    type: str
    asset: Any = None
    amount: Any = None
    payer: Any = None
    payee: Any = None


class _Receipt(Struct, gc=False):
    events: tuple[_Event, ...] = ()


class _Said(Struct, rename={"type": "@type"}, gc=False):
    """Members that a message of any module may have, of any type."""

    type: str
    asset: Any = None
    amount: Any = None
    payee: Any = None
    reference: Any = None


class _Payload(Struct, gc=False):
    sender: str
    messages: tuple[_Said, ...]
    reference: TransactionReference | None = None


class _General(Struct, gc=False):
    payload: str


class _Holding(Struct, gc=False):
    """A row of the table of holdings."""

    amount: str


_receipt: Final = msgspec.json.Decoder(_Receipt).decode
_payload: Final = msgspec.json.Decoder(_Payload).decode
_general: Final = msgspec.json.Decoder(_General).decode
_holding: Final = msgspec.json.Decoder(list[_Holding]).decode


class _Holdings:
    """What a block left with those whose holdings it changed, in units; read all at once."""

    def __init__(self, record: BlockRecord) -> None:
        first = bisect_left(record.rows, holdings.prefix, key=_key_of)
        end = bisect_left(record.rows, after_prefix(holdings.prefix), key=_key_of)
        rows = record.rows[first:end]
        there = _holding(b"[" + b",".join([row for _, row in rows if row is not None]) + b"]")
        left = iter([units_of(holding.amount) for holding in there])
        self._units = {key: 0 if row is None else next(left) for key, row in rows}

    def of(self, owner: str | None, asset_key: bytes) -> int | None:
        """The units, None where the block has not changed them; `asset_key` as in a row's key."""
        if owner is None:
            return None
        return self._units.get(holdings.prefix + bytes.fromhex(owner) + asset_key)


@lru_cache(ASSETS_REMEMBERED)
def _asset_key(asset: str) -> bytes:
    """An asset as it ends the key of a holding's row."""
    return encode_text(asset)


def units_of(amount: str) -> int:
    """The units of an amount's text."""
    return int(amount.replace(".", ""))


def entries_of(record: BlockRecord) -> Iterator[Entry]:
    """Each transaction of a block that has an outcome, in order, then its due work."""
    receipts, held = record.receipts, _Holdings(record)
    for wire, receipt, (identifier, number) in zip(
        record.transactions, receipts, record.outbox, strict=False
    ):
        if not has_happened(number):
            yield Entry(b"", "", number, None, (), ())  # whatever its bytes are: it keeps its place
            continue
        yield _entry(_payload(_signed_in(wire)), identifier, number, _receipt(receipt), held)
    if len(receipts) > len(record.transactions):
        moved = tuple(_moving(event, None, held) for event in _moves(_receipt(receipts[-1])))
        yield Entry(b"", "", 0, None, moved, ())


def _signed_in(wire: bytes) -> bytes:
    """The payload's bytes."""
    text = _general(wire).payload.encode() if wire[:1] == b"{" else wire.split(b".")[1]
    return pybase64.b64decode(text + b"=" * (-len(text) % 4), b"-_")


def _moves(receipt: _Receipt) -> list[_Event]:
    return [event for event in receipt.events if event.type == MOVED]


def _moving(event: _Event, reference: str | None, held: _Holdings) -> Moving:
    asset, payer, payee = event.asset, event.payer, event.payee
    key = _asset_key(asset)
    left, now = held.of(payer, key), held.of(payee, key)
    return Moving(asset, event.amount, payer, payee, reference, left, now)


def _entry(
    said: _Payload, identifier: bytes, number: int, receipt: _Receipt, held: _Holdings
) -> Entry:
    own, references = said.reference, _references(said)
    moves = _moves(receipt) if receipt.events else []
    if references:
        moved = _paired(said, moves, held)
    else:
        moved = [_moving(event, None, held) for event in moves]
    return Entry(identifier, said.sender, number, own, tuple(moved), references)


def _references(said: _Payload) -> tuple[str, ...]:
    """Every reference that a transaction or one of its messages bears, once."""
    found = [] if said.reference is None else [str(said.reference)]
    for message in said.messages:
        if message.reference is not None:
            text = _text(message.reference)
            if text is not None and text not in found:
                found.append(text)
    return tuple(found)


def _paired(said: _Payload, moves: list[_Event], held: _Holdings) -> list[Moving]:
    """Movements, each with the reference of the message that made it, else the transaction's."""
    paying = iter([message for message in said.messages if message.type in PAYING])
    waiting = next(paying, None)
    moved = []
    for event in moves:
        reference = said.reference
        if waiting is not None and _is_of(event, waiting, said.sender):
            reference = waiting.reference or reference
            waiting = next(paying, None)
        moved.append(_moving(event, reference, held))
    return moved


def _is_of(event: _Event, message: _Said, sender: str) -> bool:
    """Whether a movement is what a paying message makes."""
    same = event.asset == message.asset and event.amount == message.amount
    return same and event.payee == message.payee and event.payer in (sender, None)


def _text(reference: Any) -> str | None:
    """A message's reference, where it has one that is a business reference."""
    if not isinstance(reference, str):
        return None
    try:
        return msgspec.convert(reference, TransactionReference)
    except msgspec.ValidationError:
        return None
