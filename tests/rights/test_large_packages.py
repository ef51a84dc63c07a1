"""A package that is larger than memory should be: sealed, judged and read from a file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.rights.material import (
    HALVES,
    ORDER,
    SCHEMA,
    SOURCE,
    SUBJECT,
    batch,
    fixed,
    honest,
    order_of,
    rows,
)
from tongbao.rights.batch import Batch, Origin, Period, make_batch
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.chunks import DoesNotOpen
from tongbao.rights.judge import Commitments, Verdict, judge
from tongbao.rights.limits import SEALED_CHUNK_BYTES, TEXT_LIMIT
from tongbao.rights.opened import bought_rows
from tongbao.rights.seal import seal_package

ROWS = 2_000
PEAK_BYTES = 2_000_000
"""Some chunks, the hashes of one batch's rows, and those of all chunks."""


def month(number: int) -> Batch:
    """A month of rows with long notes."""
    long = tuple(
        replace(row, values=(*row.values[:2], "n" * TEXT_LIMIT, True)) for row in rows(ROWS)
    )
    origin = Origin(period=Period(f"2026-{number:02}"), source=SOURCE, subject=SUBJECT)
    return make_batch(SCHEMA, origin, long, fixed(f"secret {number}"), fixed("salt")[:16])


def test_a_large_package_is_sealed_judged_and_read_in_little_memory(tmp_path: Path) -> None:
    """Given a package of 8 MiB in a file, when sealed and judged, then memory stays far below."""
    path = tmp_path / "package"
    months = [month(number) for number in range(1, 5)]
    order = order_of(*months, fields=("eggs", "note"))
    tracemalloc.start()
    try:
        with path.open("wb") as file:
            sealed = seal_package(ORDER, HALVES, months, order.fields, file.write)
        commitments = Commitments(sealed=sealed, b=HALVES.b)
        bought = bought_rows(order, commitments, HALVES.a, ChunkFile(path))
        eggs = sum(int(row.values["eggs"]) for row in bought)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert eggs == len(months) * sum(number % 4 for number in range(ROWS))
    assert path.stat().st_size == 128 * SEALED_CHUNK_BYTES
    assert peak < PEAK_BYTES


def test_a_short_package_can_be_as_long_as_a_long_one(tmp_path: Path) -> None:
    """Given one row and sixty, when sealed with the same least size, then files of equal size."""
    sizes = set()
    for count in (1, 60):
        path = tmp_path / str(count)
        with path.open("wb") as file:
            sealed = seal_package(
                ORDER, HALVES, [batch(count)], ("eggs",), file.write, least_chunks=4
            )
        case = replace(
            honest(batch(count), fields=("eggs",)),
            commitments=Commitments(sealed=sealed, b=HALVES.b),
        )
        assert judge(case.order, case.commitments, HALVES.a, ChunkFile(path)) is Verdict.OK
        sizes.add(path.stat().st_size)
    assert sizes == {4 * SEALED_CHUNK_BYTES}


def test_a_file_that_is_not_of_whole_chunks_is_refused(tmp_path: Path) -> None:
    """Given whole chunks in a file, when read, then each is there; a byte too few is refused."""
    path = tmp_path / "package"
    data = fixed("noise") * (SEALED_CHUNK_BYTES // 16)
    path.write_bytes(data)
    chunks = ChunkFile(path)
    assert list(chunks) == [data[:SEALED_CHUNK_BYTES], data[SEALED_CHUNK_BYTES:]] == chunks[:]
    assert chunks[-1] == data[SEALED_CHUNK_BYTES:]
    with pytest.raises(IndexError):
        chunks[2]
    path.write_bytes(data[:-1])
    with pytest.raises(DoesNotOpen, match="package is not a file of at most 65536 whole chunks"):
        ChunkFile(path)
