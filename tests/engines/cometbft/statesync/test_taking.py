"""Taking and keeping snapshots: when, which stay, and what a damaged or half made one is."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.engines.cometbft.statesync.nodes import history, large_genesis, node
from tongbao.engines.cometbft.genesis_document import EVIDENCE_BLOCKS
from tongbao.engines.cometbft.messages import Snapshot
from tongbao.engines.cometbft.statesync.cutting import COPY, WORK, Order
from tongbao.engines.cometbft.statesync.kept import SERVED_SECONDS, Kept
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.engines.cometbft.statesync.retaining import KEEP_ALL, retain_height
from tongbao.engines.cometbft.statesync.taking import CUTTING
from tongbao.store.snapshot.names import MANIFEST


def taken(folder: Path, interval: int, last: int, *, pause: int = 0) -> tuple[Snapshot, ...]:
    """What a node offers that has carried the history out, with an end after block `pause`."""
    options = SyncOptions(interval=interval, keep=9)
    found: tuple[Snapshot, ...] = ()
    for first, until in ((1, pause), (pause + 1, last)) if pause else ((1, last),):
        with node(folder, options=options) as one:
            if first == 1:
                one.begin()
            for height in range(first, until + 1):
                one.decide(height, *history()[height - 1])
                found = one.snapshots()
    return found


def test_every_node_takes_the_same_snapshots(tmp_path: Path) -> None:
    """
    Given nodes that take a snapshot every second or third block, one of which was ended in between,
    when each has carried out six blocks,
    then snapshots of the same block have the same bytes, and others are of no other block.
    """
    second = {each.height: each for each in taken(tmp_path / "a", 2, 6)}
    broken = {each.height: each for each in taken(tmp_path / "b", 2, 6, pause=3)}
    third = {each.height: each for each in taken(tmp_path / "c", 3, 6)}
    assert (second, list(second), list(third)) == (broken, [6, 4, 2], [6, 3])
    assert second[6] == third[6]
    for height in second:
        name = f"snapshots/{height:010d}/chunks/all.rows"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_none_is_taken_unless_it_is_wanted(tmp_path: Path) -> None:
    """
    Given a node whose interval is 0, as it is where nobody has chosen one,
    when it carries out blocks,
    then it offers no snapshot, gives no chunk, and keeps all blocks.
    """
    with node(tmp_path / "chain") as one:
        one.begin()
        one.decide(1, *history()[0])
        assert one.snapshots() == ()
        assert one.chunk(Snapshot(height=1, format=1), 0) == b""
        assert one.service.committed() == KEEP_ALL


def test_blocks_go_on_while_a_snapshot_is_taken(tmp_path: Path) -> None:
    """
    Given a node that takes a snapshot after every block,
    when blocks come faster than snapshots, and the node ends while one is taken,
    then no block waits for one, each that is there is of its own block, and nothing half made
    is left after the next start.
    """
    with node(tmp_path / "chain", options=SyncOptions(interval=1, keep=9)) as one:
        one.begin()
        for height, wires in enumerate(history(), 1):
            one.decide(height, *wires)
        assert one.service.taker.is_busy
        assert one.info()[0] == len(history())
        first = one.snapshots()[-1]
        assert first.height == 1
        one.decide(len(history()) + 1)
        assert one.service.taker.is_busy
    folder = tmp_path / "chain" / "snapshots"
    with node(tmp_path / "chain") as one:
        assert one.snapshots() == (first,)
        assert [path.name for path in folder.iterdir()] == ["0000000001"]


def test_the_helper_ends_with_its_node(tmp_path: Path) -> None:
    """
    Given the helper process at work on many rows,
    when the node that has started it is gone,
    then it ends before it is done.
    """
    work = tmp_path / "0000000001.new"
    (work / WORK / COPY).mkdir(parents=True)
    with node(tmp_path / "chain", large_genesis()) as one:
        one.begin()
        one.decide(1)
        one.store.maintain(idle=True)
        machine, last = one.application.blocks.machine, one.store.last
        assert last is not None
        with one.store.pin() as pin, (work / WORK / COPY / "data.mdb").open("wb") as file:
            pin.copy_to(file.fileno())
        order = Order(
            chain=machine.chain,
            genesis=machine.genesis_hash,
            height=1,
            header=last.header,
            root=machine.state_root,
            tables=tuple(sorted(machine.registry.tables)),
        )
    data = msgspec.json.encode(order)
    helper = subprocess.Popen([sys.executable, "-m", CUTTING, str(work)], stdin=subprocess.PIPE)
    assert helper.stdin is not None
    helper.stdin.write(len(data).to_bytes(8, "big") + data)
    helper.stdin.close()
    assert helper.wait(60) == 1
    assert not (work / MANIFEST).exists()


def test_a_snapshot_that_can_not_be_made_is_told_and_leaves_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a node whose folder of snapshots has a file where the next one would be made,
    when it is time for one,
    then the log says that there is none and why, blocks go on, and the next one is made.
    """
    with (
        caplog.at_level(logging.WARNING),
        node(tmp_path / "chain", options=SyncOptions(interval=2)) as one,
    ):
        one.begin()
        folder = tmp_path / "chain" / "snapshots"
        folder.rename(tmp_path / "away")
        folder.write_bytes(b"")
        for height in (1, 2):
            one.decide(height, *history()[height - 1])
        assert one.snapshots() == ()
        assert "no snapshot of block 2" in caplog.text
        folder.unlink()
        (tmp_path / "away").rename(folder)
        for height in (3, 4):
            one.decide(height, *history()[height - 1])
        assert [each.height for each in one.snapshots()] == [4]


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with snapshots of blocks 1 to 6."""
    folder = tmp_path_factory.mktemp("made")
    taken(folder, 1, 6)
    return folder / "snapshots"


def test_old_ones_go_but_for_one_that_is_being_fetched(tmp_path: Path, made: Path) -> None:
    """
    Given a node that keeps two, and has those of blocks 1, 2 and 3,
    when chunks of 1 are asked for while newer ones come, and two minutes after,
    then 1 stays so long, others go as soon as they are not among the newest two.
    """
    clock = Clock()
    for name in ("0000000001", "0000000002", "0000000003"):
        shutil.copytree(made / name, tmp_path / "kept" / name)
    kept = Kept(tmp_path / "kept", 2, clock=clock)
    assert (kept.heights(), kept.oldest) == ([1, 2, 3], 1)
    assert kept.chunk(1, 1, 0) == (made / "0000000001" / "chunks" / "all.rows").read_bytes()
    steps = ((4, [1, 3, 4]), (5, [1, 4, 5]), (6, [5, 6]))
    for height, wanted in steps:
        new = tmp_path / "kept" / f"{height:010d}.new"
        shutil.copytree(made / f"{height:010d}", new)
        clock.now += SERVED_SECONDS / 2 - 1 if height < 6 else 3
        kept.add(new, height)
        assert kept.heights() == wanted
        names = sorted(path.name for path in (tmp_path / "kept").iterdir())
        assert names == [f"{each:010d}" for each in wanted]


def test_what_is_not_whole_is_not_offered(tmp_path: Path, made: Path) -> None:
    """
    Given snapshots of which one has a damaged manifest, one the name of another block, one was
    being made and one being removed when the process was killed, and one loses a chunk,
    when the node starts and is asked,
    then it offers the rest, removes the half ones, and leaves what it can't explain.
    """
    folder = tmp_path / "kept"
    for height in (1, 2, 3, 4):
        shutil.copytree(made / f"{height:010d}", folder / f"{height:010d}")
    (folder / "0000000001" / MANIFEST).write_text("{}")
    (folder / "0000000002").rename(folder / "0000000009")
    (folder / "0000000005.new").mkdir()
    (folder / "0000000006.old").mkdir()
    (folder / "notes").mkdir()
    kept = Kept(folder, 2)
    assert [each.height for each in kept.offered()] == [4, 3]
    names = {path.name for path in folder.iterdir()}
    assert names == {"0000000001", "0000000003", "0000000004", "0000000009", "notes"}
    (folder / "0000000003" / "chunks" / "all.rows").unlink()
    for height, version, index in ((3, 1, 0), (4, 2, 0), (4, 1, 1), (8, 1, 0)):
        assert kept.chunk(height, version, index) == b""
    assert [each.height for each in kept.offered()] == [4]


LAST = 500_000


@pytest.mark.parametrize(
    ("retain", "oldest", "evidence", "wanted"),
    [
        (0, LAST, 10, KEEP_ALL),
        (100, None, 10, KEEP_ALL),
        (100, LAST - 7, 10, LAST - 99),
        (100, LAST - 300, 10, LAST - 300),
        (100, LAST - 7, 1_000, LAST - 999),
        (1, LAST, 1, LAST),
        (LAST + 9, LAST, 10, KEEP_ALL),
        (100, LAST - 7, EVIDENCE_BLOCKS, LAST + 1 - EVIDENCE_BLOCKS),
    ],
)
def test_no_block_goes_that_somebody_may_need(
    retain: int, oldest: int | None, evidence: int, wanted: int
) -> None:
    """
    Given a wish to keep so many blocks, the oldest snapshot, and how long evidence counts,
    when Commit answers which block is the first to be kept,
    then it is the lowest of the three, all where nothing is wished or no snapshot is there, and
    none that is not durable here.
    """
    found = retain_height(LAST, retain, oldest, evidence)
    assert found == wanted <= LAST
