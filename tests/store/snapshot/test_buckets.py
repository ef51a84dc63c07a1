"""Rows that are parted into files are cut as if all were in memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tongbao.store.snapshot.buckets import BUCKET_BYTES, DIGITS_LIMIT, Buckets, digits_for
from tongbao.store.snapshot.chunks import cut

STATES = st.dictionaries(st.binary(min_size=1, max_size=20), st.binary(max_size=30), max_size=60)


@given(STATES, st.sampled_from((0, 1, 2, DIGITS_LIMIT)), st.sampled_from((80, 200, 10_000)))
def test_the_chunks_are_those_of_all_rows_at_once(
    state: dict[bytes, bytes], digits: int, chunk_bytes: int
) -> None:
    """Given rows, parted into one file or many.

    When they are cut, into chunks that are smaller or larger than a file.
    Then the chunks are those of all rows at once.
    """
    with TemporaryDirectory() as folder:
        buckets = Buckets(Path(folder) / "buckets", digits)
        for key, value in state.items():
            buckets.add(key, value)

        assert list(buckets.chunks(chunk_bytes)) == list(cut(state.items(), chunk_bytes))


def test_more_rows_have_more_files() -> None:
    """Given states of few and of many bytes.

    When it is asked how they are parted.
    Then a file is about of one size, until there are as many as may be open.
    """
    sizes = (0, BUCKET_BYTES, BUCKET_BYTES + 1, 4 * BUCKET_BYTES + 1, 1 << 50)

    assert [digits_for(size) for size in sizes] == [0, 0, 1, 2, DIGITS_LIMIT]
