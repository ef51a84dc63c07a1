"""Blocks that another process adds to the index."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.index.history_oracle import random_blocks
from tests.index.test_accidents import fed, rows_of
from tongbao.index.history import Index
from tongbao.index.writer import SMALLEST_BATCH, Writer
from tongbao.store.record import BlockRecord

PARTS = 4


@pytest.fixture(scope="module")
def chain_and_records() -> tuple[str, list[BlockRecord]]:
    """A chain of which every quarter is a large batch."""
    chain, records = random_blocks("elsewhere", 1_200)
    assert sum(len(one.transactions) for one in records) > 2 * PARTS * SMALLEST_BATCH
    return chain, records


def parts(records: list[BlockRecord]) -> list[list[BlockRecord]]:
    """The blocks in so many batches."""
    size = -(-len(records) // PARTS)
    return [records[at : at + size] for at in range(0, len(records), size)]


def alone(folder: Path, chain: str, records: list[BlockRecord]) -> list[list[tuple[object, ...]]]:
    """The rows of an index that nobody else has added to."""
    with Index.open(folder / "alone.sqlite", chain) as index:
        index.add(records)
    return rows_of(folder / "alone.sqlite")


def test_large_batches_are_added_by_another_process_and_small_ones_are_not(
    tmp_path: Path, chain_and_records: tuple[str, list[BlockRecord]]
) -> None:
    """
    Given an index that is open here,
    when large batches and one of a block without transactions are offered to the other process,
    then it adds the large ones, also those that the index knows, and the rows are as ever.
    """
    chain, records = chain_and_records
    path = tmp_path / "index.sqlite"
    writer = Writer(path, chain)
    with Index.open(path, chain) as index:
        for batch in parts(records):
            assert writer.add(batch)
            assert index.height == batch[-1].height
            assert writer.add(batch)
        assert not writer.add(records[:1])
        writer.close()
    assert rows_of(path) == alone(tmp_path, chain, records)


def test_a_writer_that_is_killed_leaves_the_batch_to_who_asked(
    tmp_path: Path, chain_and_records: tuple[str, list[BlockRecord]]
) -> None:
    """
    Given a process that adds to an index,
    when it is killed between two batches, and offered the second,
    then it says that it did not add it; added here, nothing is missing; the next one it adds.
    """
    chain, records = chain_and_records
    path = tmp_path / "index.sqlite"
    first, second, *rest = parts(records)
    writer = Writer(path, chain)
    with Index.open(path, chain) as index:
        assert writer.add(first)
        assert writer._helper is not None
        os.kill(writer._helper.process.pid, signal.SIGKILL)
        writer._helper.process.wait()
        assert not writer.add(second)
        index.add(second)
        for batch in rest:
            assert writer.add(batch)
        writer.close()
    assert rows_of(path) == alone(tmp_path, chain, records)


def test_a_file_of_another_chain_gets_nothing_from_the_other_process(
    tmp_path: Path, chain_and_records: tuple[str, list[BlockRecord]]
) -> None:
    """
    Given the index of another chain at the path,
    when a batch is offered to the other process,
    then it is not added, and the file is as it was.
    """
    chain, records = chain_and_records
    path = tmp_path / "index.sqlite"
    Index.open(path, "other-01234567").close()
    before = rows_of(path)
    writer = Writer(path, chain)
    assert not writer.add(records)
    writer.close()
    assert rows_of(path) == before


def test_a_feeder_with_another_process_has_the_index_that_it_would_have_alone(
    tmp_path: Path, chain_and_records: tuple[str, list[BlockRecord]]
) -> None:
    """
    Given an index of another history of the chain, larger than a batch,
    when a feeder that adds elsewhere comes to the end,
    then the index was made anew and has every row.
    """
    chain, records = chain_and_records
    path = tmp_path / "index.sqlite"
    with Index.open(path, chain) as index:
        index.add([*records[:-1], replace(records[-1], header=b"another history")])
        fed(index, records, elsewhere=True)
    assert rows_of(path) == alone(tmp_path, chain, records)
