"""What front and core say to each other: small messages, and rows in the rings beside them."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tongbao.engines.solo import Answer, Busy, EngineStopped
from tongbao.engines.solo.engine import StoppedForUpgrade
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.kernel import InvalidTransaction, Outcome
from tongbao.kernel.reasons import Invalid
from tongbao.store.errors import DiskFull

LINK: Final = "rows.sock"
"""The core's socket in the node's private folder."""
MESSAGES: Final = 32
"""Messages of a kind under way before the other side has answered for the first of them."""
ROWS: Final = 1_000
"""Rows of one message."""


class Row(Struct, frozen=True, array_like=True, gc=False):
    """A transaction that the front has parsed, and whose every signature is right.

    `payload` are its decoded bytes, `again` says that another core had it before.
    """

    number: int
    wire: bytes
    id: bytes
    payload: bytes
    signers: tuple[str, ...]
    again: bool


class Said(Struct, frozen=True, array_like=True, tag=0, gc=False):
    """What a durable block says of a row."""

    number: int
    height: int
    index: int
    outcome: Outcome
    why: int
    receipt: bytes


class NotDone(Struct, frozen=True, array_like=True, tag=1, gc=False):
    """Why a row is in no block: an error's name, an invalid transaction's reason, and its text."""

    number: int
    kind: str
    why: int
    text: str
    again_at: int | None = None


class Paying(Struct, frozen=True, array_like=True, tag=2, gc=False):
    """A row of those that say who pays for whom: as it is now, by its full key."""

    key: bytes
    row: bytes | None


class Hello(Struct, frozen=True, tag=0):
    """A front is there; the memory of both rings comes along, that of rows first."""


class Rows(Struct, frozen=True, tag=1):
    """Rows stand in the ring up to `end`."""

    end: int


class Told(Struct, frozen=True, tag=2):
    """The front has read answers up to `end`."""

    end: int


class Taken(Struct, frozen=True, tag=3):
    """The core has read rows up to `end`."""

    end: int


class Answers(Struct, frozen=True, tag=4):
    """Answers stand in the ring up to `end`."""

    end: int


class CoreState(Struct, frozen=True, tag=5):
    """How the core is, after each block and whenever it changes."""

    height: int
    time: int
    waiting: int
    why_stopped: str | None
    is_disk_full: bool
    misbehaviour: dict[str, int]
    transaction_bytes: int
    expiry_ms: int
    quotas: tuple[int, int, int]


FromFront = Hello | Rows | Told
FromCore = Taken | Answers | CoreState

encode: Final = msgspec.msgpack.Encoder().encode
decode_rows: Final = msgspec.msgpack.Decoder(list[Row]).decode
decode_answers: Final = msgspec.msgpack.Decoder(list[Said | NotDone | Paying]).decode

_REASONS: Final = {reason.number: reason for reason in Invalid}
_ERRORS: Final[dict[str, type[Exception]]] = {
    kind.__name__: kind
    for kind in (Busy, DiskFull, EngineStopped, SignerUnavailable, StoppedForUpgrade)
}


def answered(number: int, answer: Answer | Exception) -> Said | NotDone:
    """An answer as a row."""
    if isinstance(answer, Answer):
        return Said(
            number,
            answer.height,
            answer.index,
            answer.outcome,
            answer.number,
            answer.receipt,
        )
    if isinstance(answer, InvalidTransaction):
        name, why = InvalidTransaction.__name__, answer.why.number
        return NotDone(number, name, why, answer.detail, answer.again_at)
    name = next((kind.__name__ for kind in type(answer).__mro__ if kind.__name__ in _ERRORS), "")
    assert name, f"an engine answers with {type(answer).__name__}"
    return NotDone(number, name, 0, str(answer))


def answer_of(row: Said | NotDone, transaction_id: bytes) -> Answer | Exception:
    """The answer that a row carries."""
    if isinstance(row, Said):
        return Answer(transaction_id, row.height, row.index, row.outcome, row.why, row.receipt)
    if row.kind == InvalidTransaction.__name__:
        return InvalidTransaction(_REASONS[row.why], row.text, row.again_at)
    return _ERRORS[row.kind](row.text)
