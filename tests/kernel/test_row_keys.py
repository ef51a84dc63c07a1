"""Row keys: one encoding that keeps order and ends by itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_file import check_golden
from tongbao.kernel import Address, AssetId, Count, Id, Reference
from tongbao.kernel.row_keys import KeyCodec

IDS = st.binary(min_size=20, max_size=20).map(bytes.hex)
TEXTS = st.from_regex("[A-Za-z0-9.-]{0,12}", fullmatch=True)
NUMBERS = st.integers(0, 2**64 - 1)
CODECS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "id": (Id, IDS),
    "address": (Address, IDS),
    "text": (Reference, TEXTS),
    "integer": (Count, NUMBERS),
    "id and text": (tuple[Address, AssetId], st.tuples(IDS, TEXTS)),
    "id and integer": (tuple[Address, Count], st.tuples(IDS, NUMBERS)),
    "text and text": (tuple[AssetId, Reference], st.tuples(TEXTS, TEXTS)),
    "three": (tuple[Count, Reference, Id], st.tuples(NUMBERS, TEXTS, IDS)),
}


@pytest.mark.parametrize("name", CODECS)
@given(data=st.data())
def test_the_order_of_keys_is_the_order_of_their_bytes(name: str, data: st.DataObject) -> None:
    """
    Given two keys of one type,
    when both are encoded,
    then their bytes compare as they do, and decode to them.
    """
    kind, strategy = CODECS[name]
    codec = KeyCodec(kind)
    first, second = data.draw(strategy), data.draw(strategy)
    low, high = codec.encode(first), codec.encode(second)
    assert (low < high, low == high) == (first < second, first == second)
    assert (codec.decode(low), codec.decode(high)) == (first, second)


@pytest.mark.parametrize("name", CODECS)
@given(data=st.data())
def test_bytes_behind_a_key_are_refused(name: str, data: st.DataObject) -> None:
    """
    Given a key's bytes with one more behind them,
    when they are decoded,
    then it is a ValueError.
    """
    kind, strategy = CODECS[name]
    codec = KeyCodec(kind)
    with pytest.raises((ValueError, IndexError)):
        codec.decode(codec.encode(data.draw(strategy)) + b"\x01")


def test_the_bytes_of_keys_are_frozen() -> None:
    """
    Given one key of each shape,
    when they are encoded,
    then the bytes are the golden ones.
    """
    keys: list[tuple[Any, Any]] = [
        (Id, "ab" * 20),
        (Reference, "deposit-1"),
        (Count, 258),
        (tuple[Address, AssetId], ("cd" * 20, "CNY." + "ef" * 20)),
        (tuple[Address, Count], ("cd" * 20, 3)),
        (tuple[AssetId, Reference], ("CNY." + "ef" * 20, "x")),
    ]
    found = [KeyCodec(kind).encode(key).hex() for kind, key in keys]
    check_golden("keys.json", "row_keys", found)
