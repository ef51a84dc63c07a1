"""Messages to bytes and back, by the table of `fields.py`; every failure is a `WireError`.

As protobuf wants it: defaults are left out, fields stand in the order of their numbers, numbers
that repeat are packed and read both ways, the last of several values counts, parts that come in
pieces are put together, and fields of other versions are stepped over. A length never reaches
beyond the bytes that are there, so the limit of a frame (`framing.py`) is the limit of all within
it. How many values repeat has no limit of its own: a hostile proposer can put a million empty
transactions into a block, and a node that could not read it would stop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from tongbao.engines.cometbft.fields import FIELDS, REQUESTS, RESPONSES
from tongbao.engines.cometbft.kinds import Field, Kind
from tongbao.engines.cometbft.messages import Message
from tongbao.engines.cometbft.requests import RequestCheckTx
from tongbao.engines.cometbft.responses import ResponseCheckTx
from tongbao.engines.cometbft.wire import (
    LENGTH,
    MASK_64,
    VARINT,
    WireError,
    read_length,
    read_tag,
    read_varint,
    signed,
    skip,
    write_varint,
)

Kept = TypeVar("Kept", bound=Message)

_FROM_VARINT: Final[dict[Kind, Callable[[int], Any]]] = {
    Kind.INT32: lambda value: signed(value, 32),
    Kind.INT64: lambda value: signed(value, 64),
    Kind.UINT32: lambda value: value & 0xFFFF_FFFF,
    Kind.UINT64: lambda value: value,
    Kind.BOOL: bool,
}
_BOUNDS: Final = {
    Kind.INT32: (-(1 << 31), (1 << 31) - 1),
    Kind.INT64: (-(1 << 63), (1 << 63) - 1),
    Kind.UINT32: (0, (1 << 32) - 1),
    Kind.UINT64: (0, MASK_64),
    Kind.BOOL: (0, 1),
}
_BY_NUMBER: Final = {
    kind: {field.number: field for field in fields} for kind, fields in FIELDS.items()
}
_PLANS: Final = {
    kind: tuple((field, field.name, field.choice) for field in fields)
    for kind, fields in FIELDS.items()
}
"""For each message its fields, their names, and whether a default is told from what is missing."""
_REQUEST_NUMBERS: Final = {kind: number for number, kind in REQUESTS.items()}
_RESPONSE_NUMBERS: Final = {kind: number for number, kind in RESPONSES.items()}

ACCEPTED: Final = ResponseCheckTx()
"""The answer to nearly every CheckTx; one object, whose bytes are made once."""


def encode_request(message: Message) -> bytes:
    """The bytes of a `Request` that holds a message. Raises WireError."""
    return _envelope(_REQUEST_NUMBERS, message)


def encode_response(message: Message) -> bytes:
    """The bytes of a `Response` that holds a message. Raises WireError."""
    return _ACCEPTED if message is ACCEPTED else _envelope(_RESPONSE_NUMBERS, message)


def decode_request(data: bytes) -> Message:
    """The message in a `Request`. Raises WireError, also for what is not known or not there."""
    return _plain_check(data) or _open_envelope(REQUESTS, data)


def decode_response(data: bytes) -> Message:
    """The message in a `Response`. Raises WireError, also for what is not known or not there."""
    return _open_envelope(RESPONSES, data)


def encode(message: Message) -> bytes:
    """The bytes of one message. Raises WireError for what has none, such as a negative uint64."""
    parts: list[bytes] = []
    for field, name, presence in _PLANS[type(message)]:
        value = getattr(message, name)
        if not value and (value is None or not presence):
            continue
        if field.repeated:
            _write_many(parts, field, value)
        else:
            _write_one(parts, field, value)
    return b"".join(parts)


def decode(kind: type[Kept], data: bytes) -> Kept:
    """Read a message. Raises WireError."""
    known = _BY_NUMBER[kind]
    found: dict[str, Any] = {}
    at, end = 0, len(data)
    while at < end:
        tag, at = read_tag(data, at, end)
        field = known.get(tag >> 3)
        if field is not None and field.repeated and field.kind is Kind.BYTES and tag & 7 == LENGTH:
            at = _read_run(found.setdefault(field.name, []), data, tag, at)
        else:
            at = _read_field(found, field, data, tag, at)
    for name, value in found.items():
        if type(value) is tuple:
            found[name] = _put_together(*value)
        elif type(value) is list:
            found[name] = tuple(value)
    return kind(**found)


def _read_run(values: list[bytes], data: bytes, tag: int, at: int) -> int:
    """Read bytes that stand one after the other under one tag: a block's transactions.

    The place after them. Raises WireError.
    """
    end = len(data)
    while True:
        start, at = read_length(data, at, end)
        values.append(data[start:at])
        if at >= end or data[at] != tag:
            return at
        at += 1


def _read_field(found: dict[str, Any], field: Field | None, data: bytes, tag: int, at: int) -> int:
    """Read one field into what was found, if it is known; the place after it. Raises WireError.

    A message is kept as its type and the bytes of its pieces until all are there.
    """
    end = len(data)
    if field is None:
        return skip(data, tag, at, end)
    name, kind, wire = field.name, field.kind, tag & 7
    if wire == LENGTH:
        start, after = read_length(data, at, end)
        if not isinstance(kind, Kind):
            if field.repeated:
                found.setdefault(name, []).append(decode(kind, data[start:after]))
            else:
                found.setdefault(name, (kind, []))[1].append(data[start:after])
            return after
        if kind is Kind.BYTES or kind is Kind.STRING:
            value = data[start:after] if kind is Kind.BYTES else _text(data[start:after])
            _keep(found, field, value)
            return after
        if field.repeated:
            read = _FROM_VARINT[kind]
            values = found.setdefault(name, [])
            while start < after:
                number, start = read_varint(data, start, after)
                values.append(read(number))
            return after
    elif wire == VARINT and isinstance(kind, Kind) and kind in _FROM_VARINT:
        number, after = read_varint(data, at, end)
        _keep(found, field, _FROM_VARINT[kind](number))
        return after
    return skip(data, tag, at, end)  # of another type than ours: of another version


def _put_together(kind: type[Message], pieces: list[bytes]) -> Message:
    """A message out of its pieces: bytes one after the other mean what they hold put together.

    Raises WireError also where two broken pieces would make a whole one.
    """
    if len(pieces) > 1:
        for piece in pieces:
            decode(kind, piece)
    return decode(kind, b"".join(pieces))


def _keep(found: dict[str, Any], field: Field, value: object) -> None:
    if field.repeated:
        found.setdefault(field.name, []).append(value)
    elif field.choice:  # whatever was chosen before is not any more
        found.clear()
        found[field.name] = value
    else:
        found[field.name] = value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise WireError("a text is not UTF-8") from error


def _write_many(parts: list[bytes], field: Field, values: tuple[Any, ...]) -> None:
    if field.kind in _BOUNDS:
        packed = b"".join(_number(field, value) for value in values)
        parts += (_tag(field, LENGTH), write_varint(len(packed)), packed)
        return
    if field.kind is Kind.BYTES:
        tag = _tag(field, LENGTH)
        for value in values:
            parts += (tag, write_varint(len(value)), value)
        return
    for value in values:
        _write_one(parts, field, value)


def _write_one(parts: list[bytes], field: Field, value: Any) -> None:
    if field.kind in _BOUNDS:
        parts += (_tag(field, VARINT), _number(field, value))
        return
    if field.kind is Kind.BYTES:
        content = value
    elif field.kind is Kind.STRING:
        try:
            content = value.encode()
        except UnicodeEncodeError as error:
            raise WireError(f"{field.name} has half of a character") from error
    else:
        content = encode(value)
    parts += (_tag(field, LENGTH), write_varint(len(content)), content)


def _number(field: Field, value: int) -> bytes:
    assert isinstance(field.kind, Kind)
    low, high = _BOUNDS[field.kind]
    if not low <= value <= high:
        raise WireError(f"{field.name} is {value}; {field.kind.value} is from {low} to {high}")
    return write_varint(value & MASK_64)


def _tag(field: Field, wire: int) -> bytes:
    return write_varint(field.number << 3 | wire)


def _envelope(numbers: dict[type[Message], int], message: Message) -> bytes:
    content = encode(message)
    tag = write_varint(numbers[type(message)] << 3 | LENGTH)
    return b"".join((tag, write_varint(len(content)), content))


def _open_envelope(kinds: dict[int, type[Message]], data: bytes) -> Message:
    """The one message that an envelope holds. Raises WireError for none, several or unknown."""
    at, end = 0, len(data)
    found: Message | None = None
    unknown = "none"
    while at < end:
        tag, at = read_tag(data, at, end)
        kind = kinds.get(tag >> 3)
        if kind is None or tag & 7 != LENGTH:
            unknown = f"number {tag >> 3}"
            at = skip(data, tag, at, end)
            continue
        if found is not None:
            raise WireError("two messages in one envelope")
        start, at = read_length(data, at, end)
        found = decode(kind, data[start:at])
    if found is None:
        raise WireError(f"no message that is known here: {unknown}")
    return found


_ACCEPTED: Final = _envelope(_RESPONSE_NUMBERS, ACCEPTED)
_CHECK: Final = _REQUEST_NUMBERS[RequestCheckTx] << 3 | LENGTH
_CHECK_TX: Final = _BY_NUMBER[RequestCheckTx][1].number << 3 | LENGTH
_CHECK_AGAIN: Final = b"\x10\x01"
"""The field `type`, with RECHECK in it."""


def _plain_check(data: bytes) -> RequestCheckTx | None:
    """A CheckTx in the spelling that CometBFT gives it; None for all else.

    Each transaction comes so at least twice, and this takes a sixth of what reading any message by
    the table does.
    """
    if len(data) < 8 or data[0] != _CHECK:
        return None
    length, at = _short_length(data, 1)
    if length != len(data) - at or data[at] != _CHECK_TX:
        return None
    length, at = _short_length(data, at + 1)
    rest = len(data) - at - length
    if length < 0:
        return None
    if rest == 0:
        return RequestCheckTx(data[at:])
    if rest == 2 and data[-2:] == _CHECK_AGAIN:
        return RequestCheckTx(data[at:-2], 1)
    return None


def _short_length(data: bytes, at: int) -> tuple[int, int]:
    """A number of one or two bytes and the place after it; -1 and a place for a longer one."""
    first, second = data[at], data[at + 1]
    if first < 0x80:
        return first, at + 1
    return (-1 if second >= 0x80 else first & 0x7F | second << 7), at + 2
