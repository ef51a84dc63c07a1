"""Hypothesis strategies out of declared types: every value that could stand in a message.

They know no ledger, so most of what they make is refused; `histories.py` makes what mostly applies.
"""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import Meta

from tongbao.kernel import DECIMALS_LIMIT, UNITS_LIMIT, Amount, Message, PublicKey, Registry
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.schema import Wire

SEVERAL: Final = 3
KEY_BYTES: Final = 32


def amounts() -> SearchStrategy[Amount]:
    """Every amount."""
    return st.builds(Amount.of, st.integers(0, UNITS_LIMIT), st.integers(0, DECIMALS_LIMIT))


def public_keys() -> SearchStrategy[PublicKey]:
    """32 bytes in base64url, of which about half are points of the curve."""
    raw = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
    return raw.map(lambda key: PublicKey(encode_base64url(key)))


SIMPLE: Final[dict[Any, Callable[[], SearchStrategy[Any]]]] = {
    Amount: amounts,
    PublicKey: public_keys,
    bool: st.booleans,
    NoneType: st.none,
}
"""Types whose strategy needs no look inside."""


def messages(registry: Registry) -> SearchStrategy[Message]:
    """Messages of every type of a registry."""
    return st.one_of([structs(kind) for kind in registry.messages])


def structs(kind: Any) -> SearchStrategy[Any]:
    """A message, record, event or value of a declared class."""
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})


def values(kind: Any) -> SearchStrategy[Any]:
    """Every value of a field's type; an assertion for a type that no field can have."""
    if kind in SIMPLE:
        return SIMPLE[kind]()
    if isinstance(kind, Wire):
        return structs(kind)
    if hasattr(kind, "__supertype__"):
        return values(kind.__supertype__)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of([values(part) for part in parts])
    if origin is tuple:
        return _tuples(parts, 0, SEVERAL)
    assert hasattr(kind, "__metadata__"), f"no strategy for {kind}"
    return _bounded(parts[0], [meta for meta in kind.__metadata__ if isinstance(meta, Meta)])


def _bounded(inner: Any, metas: list[Meta]) -> SearchStrategy[Any]:
    """Values within the bounds of an Annotated type."""
    if inner is str:
        # The longest pattern of identifiers is short; `fullmatch` keeps a last newline out.
        patterns = [meta.pattern for meta in metas if meta.pattern is not None]
        return st.from_regex(patterns[0], fullmatch=True, alphabet=st.characters(codec="ascii"))
    if inner is int:
        low = max(int(meta.ge) for meta in metas if meta.ge is not None)
        high = min(int(meta.le) for meta in metas if meta.le is not None)
        return st.integers(low, high)
    if get_origin(inner) is tuple:
        least = max((meta.min_length for meta in metas if meta.min_length is not None), default=0)
        most = min(meta.max_length for meta in metas if meta.max_length is not None)
        return _tuples(get_args(inner), least, min(most, max(least, SEVERAL)))
    raise AssertionError(f"no strategy for {inner} with {metas}")


def _tuples(parts: tuple[Any, ...], least: int, most: int) -> SearchStrategy[Any]:
    if parts[1:] == (Ellipsis,):
        return st.lists(values(parts[0]), min_size=least, max_size=most).map(tuple)
    return st.tuples(*(values(part) for part in parts))
