"""Rows in memory are a sorted dict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tongbao.testing.backing import SortedBacking

KEYS = st.binary(min_size=1, max_size=3)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=2)), max_size=40)


@given(WRITES, KEYS, KEYS)
def test_ranges_are_those_of_a_sorted_dict(
    writes: list[tuple[bytes, bytes | None]], start: bytes, stop: bytes
) -> None:
    """
    Given writes and removals in any order,
    when a key and a range are read,
    then they are what a dict that is sorted each time gives.
    """
    backing, plain = SortedBacking(), dict[bytes, bytes]()
    backing.put(writes)
    for key, value in writes:
        if value is None:
            plain.pop(key, None)
        else:
            plain[key] = value

    assert list(backing.scan(start, stop)) == [
        pair for pair in sorted(plain.items()) if start <= pair[0] < stop
    ]
    assert backing.get(start) == plain.get(start)
