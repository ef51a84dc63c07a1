"""Killed while it is fed; files that are missing, damaged or another's; a full disk."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.fixed_chain import FixedChain
from tests.index import full_disk
from tests.index.conftest import NewPlace
from tests.index.history_oracle import random_blocks
from tests.small_mount import play
from tongbao.index import Movements
from tongbao.index.feeder import Feeder
from tongbao.index.history import Index
from tongbao.index.tables import VERSION
from tongbao.store.errors import Pruned, WrongChain, WrongVersion
from tongbao.store.record import BlockRecord, HeaderLine, line_of

pytestmark = pytest.mark.filterwarnings("ignore:invalid characters:FutureWarning")

WRITER = Path(__file__).with_name("feeding_writer.py")
PATIENCE_S = 60


class Blocks:
    """Blocks in a list, of which those below `first_block` were pruned."""

    def __init__(self, records: list[BlockRecord], first_block: int = 0) -> None:
        """Have these."""
        self.records = records
        self.first_block = first_block

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The headers of some heights."""
        return [line_of(record) for record in self.records[first : last + 1]]

    def block(self, height: int) -> BlockRecord:
        """The record of a block. Raises LookupError."""
        if height < self.first_block:
            raise Pruned(f"block {height} was pruned")
        return self.records[height]


ROWS = (
    "SELECT * FROM state",
    "SELECT * FROM chunks ORDER BY at",
    "SELECT * FROM postings ORDER BY name, at",
    "SELECT * FROM texts ORDER BY name, at",
)


def rows_of(place: Path | str) -> list[list[tuple[object, ...]]]:
    """Everything in an index."""
    if isinstance(place, str):
        with psycopg.connect(place, options="-c search_path=tongbao") as server:
            return [server.execute(statement.encode()).fetchall() for statement in ROWS]
    connection = sqlite3.connect(place)
    try:
        return [connection.execute(statement).fetchall() for statement in ROWS]
    finally:
        connection.close()


def fed(
    index: Index, records: list[BlockRecord], first_block: int = 0, *, elsewhere: bool = False
) -> Movements:
    """An index after its feeder has come to the end of these blocks: the bank's money then."""
    done = threading.Event()

    def heard(height: int) -> None:
        if height == len(records) - 1:
            done.set()

    feeder = Feeder(index, Blocks(records, first_block), heard, elsewhere=elsewhere)
    feeder.start()
    try:
        assert done.wait(PATIENCE_S), "the feeder did not come to the end"
    finally:
        feeder.stop()
    return index.movements_of_asset(FixedChain.cny)


def fixed_records(payments: int) -> list[BlockRecord]:
    """Blocks with a payment each."""
    fixed = FixedChain()
    for _ in range(payments):
        fixed.make(fixed.pay("0.01"))
    return [fixed.store.block(height) for height in range(fixed.store.height + 1)]


def test_a_feeder_that_is_killed_goes_on_where_it_was(tmp_path: Path, new_place: NewPlace) -> None:
    """
    Given a process that feeds an index,
    when it is killed at random moments until it comes to the end,
    then the index has the rows of one that was fed in one go.
    """
    chain, records = random_blocks("killed", 1_200)
    place, other = new_place(), new_place()
    (tmp_path / "blocks").write_bytes(msgspec.msgpack.encode(records))
    chance = random.Random("killed")
    kills = 0
    while True:
        batches = chance.randint(1, 20)
        with subprocess.Popen(
            [sys.executable, WRITER, tmp_path / "blocks", place, chain],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("feed\n" * batches)
            process.stdin.flush()
            for _ in range(batches - 1):
                process.stdout.readline()
            process.kill()  # while it is about the last of them
            process.wait()
        kills += 1
        with Index.open(place, chain) as index:
            if index.height == len(records) - 1:
                break
    with Index.open(other, chain) as whole:
        whole.add(records)

    assert kills > 3
    assert rows_of(place) == rows_of(other)


def cut_short(path: Path) -> None:
    """Half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path: Path) -> None:
    """No database."""
    path.write_bytes(b"no database " * 5_000)


def nothing(path: Path) -> None:
    """An empty file."""
    path.write_bytes(b"")


def another_program(path: Path) -> None:
    """A database of somebody else's."""
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()


def older(path: Path) -> None:
    """An index of an older version."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION - 1}")
    connection.close()


@pytest.mark.parametrize("harm", [cut_short, garbage, nothing, another_program, older])
def test_a_file_that_is_no_index_is_set_aside_and_made_anew(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """
    Given a file that was harmed while nobody had it open,
    when the index is opened and fed,
    then the harmed file is beside it, and the answers are as before.
    """
    records, chain = fixed_records(300), FixedChain().producer.machine.chain
    path = tmp_path / "index.sqlite"
    with Index.open(path, chain) as index:
        before = fed(index, records)
    harm(path)
    harmed = path.read_bytes()
    with Index.open(path, chain) as index:
        assert index.height == -1
        after = fed(index, records)

    assert after == before and len(after.movements) == 50
    assert path.with_name("index.sqlite.damaged").read_bytes() == harmed


def test_pages_that_are_damaged_in_the_middle_are_found_by_a_reader_and_fed_anew(
    tmp_path: Path,
) -> None:
    """
    Given an index whose pages after the first are garbage,
    when a reader meets them and tells the feeder,
    then the index is fed anew, and answers as before.
    """
    records, chain = fixed_records(300), FixedChain().producer.machine.chain
    path = tmp_path / "index.sqlite"
    with Index.open(path, chain) as index:
        before = fed(index, records)
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * 4096] + b"\xa5" * (len(whole) - 2 * 4096))
    done = threading.Event()
    with Index.open(path, chain) as index:
        feeder = Feeder(index, Blocks(records), lambda height: done.set())
        feeder.start()
        with pytest.raises(sqlite3.DatabaseError) as caught:
            index.movements_of_asset(FixedChain.cny)
        feeder.tell(caught.value)
        assert done.wait(PATIENCE_S)
        feeder.stop()

        assert fed(index, [*records, *fixed_records(301)[-1:]]).height == len(records)
        assert index.movements_of_asset(FixedChain.cny, before=f"{len(records)}.0.0") == Movements(
            len(records), before.movements, before.before
        )


def test_a_file_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    """
    Given an index,
    when its file is removed and it is opened and fed again,
    then it answers as before.
    """
    records, chain = fixed_records(5), FixedChain().producer.machine.chain
    path = tmp_path / "index.sqlite"
    with Index.open(path, chain) as index:
        before = fed(index, records)
    path.unlink()
    with Index.open(path, chain) as index:
        assert fed(index, records) == before


def test_an_index_of_another_chain_or_a_newer_version_is_refused(tmp_path: Path) -> None:
    """
    Given an index,
    when it is opened for another chain, and after a newer version has written it,
    then it is refused with what to do, and left as it was.
    """
    path = tmp_path / "index.sqlite"
    with Index.open(path, "demo-01234567"):
        pass
    with pytest.raises(WrongChain, match="of the chain demo-01234567, not of demo-89abcdef"):
        Index.open(path, "demo-89abcdef")
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(WrongVersion, match=f"index of version {VERSION + 1}"):
        Index.open(path, "demo-01234567")

    assert [file.name for file in tmp_path.iterdir()] == ["index.sqlite"]


def test_an_index_of_another_history_is_made_anew(new_place: NewPlace) -> None:
    """
    Given a file that knows more blocks than the chain, and an index whose last block is another,
    when each is fed by the chain,
    then it has the chain's history alone.
    """
    records, chain = fixed_records(4), FixedChain().producer.machine.chain
    other = FixedChain()
    for _ in range(4):
        other.make(other.pay("0.02"))
    others = [other.store.block(height) for height in range(other.store.height + 1)]
    with Index.open(new_place(), chain) as index:
        wanted = fed(index, records)
    for known in ([*records, *fixed_records(6)[-2:]], others):
        place = new_place()
        if known is not others and isinstance(place, str):
            continue  # a database may have been fed by a node that is further
        with Index.open(place, chain) as index:
            index.add(known)
            assert fed(index, records) == wanted


@pytest.mark.needs("unshare", "mount")
def test_a_full_disk_is_told_and_fed_later(tmp_path: Path) -> None:
    """
    Given a real disk that is full,
    when the feeder has failed twice and said so, and there is room again,
    then it said so once, and comes to the end by itself, with every movement.
    """
    said = play(full_disk, str(tmp_path))
    assert [line.partition(" (")[0] for line in said.splitlines()] == [
        "ERROR index: not written",
        "DEBUG index: not written",
        "WARNING index: written again, up to block 201",
    ]
