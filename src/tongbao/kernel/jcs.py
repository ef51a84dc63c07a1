"""RFC 8785 (JCS) JSON by msgspec: the one form of everything that is signed or hashed.

Member names are ASCII, so sorting by bytes is sorting by UTF-16 units; there are no floats; texts
are ASCII by their patterns. What is left of RFC 8785 is what msgspec writes.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from tongbao.kernel.amount import Amount

T = TypeVar("T")


def _decode_hook(kind: type, value: Any) -> Any:
    """Read the one type that msgspec does not know."""
    assert kind is Amount
    return Amount(value)


def _encode_hook(value: Any) -> str:
    """Write the one type that msgspec does not know."""
    assert type(value) is Amount, type(value)
    return str(value)


_encoder = msgspec.json.Encoder(enc_hook=_encode_hook, order="sorted")
encode = _encoder.encode
"""`encode(value) -> bytes`: the RFC 8785 form."""


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """A decoder of `kind`. It accepts any spelling: compare with `encode` where that matters."""
    return msgspec.json.Decoder(kind, dec_hook=_decode_hook)


def decode_canonical(reader: msgspec.json.Decoder[T], text: bytes) -> T:
    """Read `text`, refusing with ValueError whatever is not its own RFC 8785 form."""
    value = reader.decode(text)
    if encode(value) != text:
        raise ValueError("not in RFC 8785 form")
    return value


def to_builtins(value: Any) -> Any:
    """Plain dicts, lists, strings and integers, with the same members as the JSON form."""
    return msgspec.to_builtins(value, enc_hook=_encode_hook)


def convert(value: Any, kind: Any) -> Any:
    """The reverse of `to_builtins`. Raises msgspec.ValidationError."""
    return msgspec.convert(value, kind, dec_hook=_decode_hook)
