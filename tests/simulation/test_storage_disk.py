"""The simulated disk: what it keeps, loses and tears."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tongbao.simulation.storage.disk import SECTOR, Plan, PowerFailed, SimulatedDisk
from tongbao.simulation.storage.faults import Failure, Fate, Moment
from tongbao.store.disk import AppendFile
from tongbao.store.sites import Site

LOG = Path("chain/log")
FILE = LOG / "00000000.log"
SYNCED = b"synced " * 30
PENDING = b"pending" * 30


def disk_with_pending(seed: int = 1) -> tuple[SimulatedDisk, AppendFile]:
    """A disk with a named file, some of which is durable and some not."""
    disk = SimulatedDisk(Random(seed))
    disk.make_folder(LOG, Site.LOG_FOLDER)
    file = disk.append_to(FILE, Site.SEGMENT_FILE)
    disk.sync_folder(LOG, Site.SEGMENT_NAME)
    disk.sync_folder(LOG.parent, Site.LOG_NAME)
    file.write(SYNCED, Site.FRAME)
    file.sync(Site.FRAME_SYNC)
    file.write(PENDING, Site.FRAME)
    return disk, file


def sectors(data: bytes) -> list[tuple[int, bytes]]:
    """Bytes that come to the disk together, each with its place."""
    return [(at, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR)]


LEFT: dict[Fate, Callable[[bytes], bool]] = {
    Fate.KEPT: lambda rest: rest == PENDING,
    Fate.DROPPED: lambda rest: rest == b"",
    Fate.TORN: PENDING.startswith,
    Fate.REORDERED: lambda rest: all(
        part in (PENDING[at : at + SECTOR], bytes(len(part))) for at, part in sectors(rest)
    ),
    Fate.FLIPPED: lambda rest: sum(a != b for a, b in zip(rest, PENDING, strict=True)) == 1,
    Fate.UNNAMED: lambda rest: rest == b"",
}


@pytest.mark.parametrize("fate", Fate)
def test_synced_bytes_stay_and_others_have_their_fate(fate: Fate) -> None:
    """
    Given a file with bytes that were synced, and others that were not,
    when everything stops with each fate,
    then the former are there, and the latter as the fate says.
    """
    for seed in range(20):
        disk, _ = disk_with_pending(seed)
        disk.restart(fate)
        data = disk.read(FILE)
        assert data.startswith(SYNCED)
        assert LEFT[fate](data[len(SYNCED) :])


def test_names_that_were_not_synced_may_be_gone_with_all_that_is_in_them() -> None:
    """
    Given a file with durable bytes whose name never was durable, and one that was removed,
    when names that were not synced are lost,
    then the first is gone and the second is back; a name that was synced stays.
    """
    disk, _ = disk_with_pending()
    other = disk.append_to(LOG / "00000001.log", Site.SEGMENT_FILE)
    other.write(SYNCED, Site.SEGMENT_HEAD)
    other.sync(Site.SEGMENT_SYNC)
    disk.remove(FILE, Site.SEGMENT_BACK)
    assert disk.names(LOG) == ["00000001.log"]
    disk.restart(Fate.UNNAMED)
    assert disk.names(LOG) == [FILE.name]


def test_bytes_of_a_failed_sync_are_seen_but_only_writing_them_again_saves_them() -> None:
    """
    Given bytes whose sync failed, seen by the next process,
    when they are synced again, or written again and then synced, and the power fails,
    then the first time they are zeros, the second time they are there.
    """
    for again in (False, True):
        disk, file = disk_with_pending()
        disk.arm(Plan(Site.FRAME_SYNC, 1, Failure.BROKEN))
        with pytest.raises(OSError, match="Input/output"):
            file.sync(Site.FRAME_SYNC)
        disk.restart(Fate.KEPT)
        assert disk.read(FILE) == SYNCED + PENDING
        if again:
            disk.rewrite(FILE, len(SYNCED), PENDING, Site.FOUND_TAIL)
        file.sync(Site.FOUND_BLOCKS)
        disk.restart(Fate.DROPPED)
        assert disk.read(FILE) == SYNCED + (PENDING if again else bytes(len(PENDING)))


def test_a_plan_is_met_once_at_its_passage() -> None:
    """
    Given a plan for the second passage of a site,
    when the site is passed three times, the disk being full then,
    then the second write ends in that error with part of its bytes, the others are whole.
    """
    disk, file = disk_with_pending()
    disk.arm(Plan(Site.FRAME, 2, Failure.FULL))
    file.write(b"a" * 9, Site.FRAME)
    with pytest.raises(OSError, match="No space") as raised:
        file.write(b"b" * 9, Site.FRAME)
    assert raised.value.errno == errno.ENOSPC
    part = len(disk.read(FILE)) - len(SYNCED + PENDING) - 9
    assert 0 <= part < 9
    file.write(b"c" * 9, Site.FRAME)
    assert disk.read(FILE) == SYNCED + PENDING + b"a" * 9 + b"b" * part + b"c" * 9


@pytest.mark.parametrize("moment", Moment)
def test_after_everything_has_stopped_nothing_more_is_done(moment: Moment) -> None:
    """
    Given a plan that stops everything at a write, at each moment,
    when it is met, and the process tries to go on,
    then the write is missing, partly there or whole, and no later one is.
    """
    disk, file = disk_with_pending()
    disk.arm(Plan(Site.FRAME, 1, moment))
    with pytest.raises(PowerFailed):
        file.write(b"abc", Site.FRAME)
    with pytest.raises(PowerFailed):
        file.sync(Site.FRAME_SYNC)
    with pytest.raises(PowerFailed), disk.writing(Site.ROWS_FLUSH):
        pass
    written = disk.read(FILE)[len(SYNCED + PENDING) :]
    wanted = {Moment.BEFORE: (b"",), Moment.WITHIN: (b"", b"a", b"ab"), Moment.AFTER: (b"abc",)}
    assert written in wanted[moment]
