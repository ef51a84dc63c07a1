"""The solo engine on a disk that is full or fails."""

import errno
import logging
import time
from pathlib import Path

import pytest

from tests.engines.clock import Clock, held_by_alice
from tests.fixed_chain import FixedChain
from tongbao.engines.solo import EngineStopped, Options
from tongbao.engines.solo.lacks import WHY
from tongbao.sdk.client import Applied
from tongbao.sdk.local import Chain
from tongbao.store.disk import AppendFile, RealAppendFile, RealDisk
from tongbao.store.errors import DiskFull
from tongbao.store.sites import Site
from tongbao.store.store import Store

LOG_FILE = "00000000.log"


class FillingFile(RealAppendFile):
    """A file on a disk that fills up, or fails, when it is told to."""

    def __init__(self, path: Path, disk: "FillingDisk") -> None:
        """Open the file of a disk."""
        super().__init__(path)
        self.path = path
        self.disk = disk

    def write(self, data: bytes, site: Site, /) -> None:
        """Write half, then find the disk full."""
        if self.disk.full:
            self.disk.refused.append(self.path.name)
            super().write(data[: len(data) // 2], site)
            raise OSError(errno.ENOSPC, "no space left")
        super().write(data, site)

    def sync(self, site: Site, /) -> None:
        """Sync, unless the disk has failed."""
        if self.disk.failed:
            raise OSError(errno.EIO, "input/output error")
        super().sync(site)


class FillingDisk(RealDisk):
    """A real disk with two switches; `refused` names each file that met the first."""

    def __init__(self) -> None:
        """Begin with space."""
        self.full = False
        self.failed = False
        self.refused: list[str] = []

    def append_to(self, path: Path, _: Site, /) -> AppendFile:
        """A file with the same switches."""
        return FillingFile(path, self)


def takes_again(chain: Chain) -> bool:
    """Whether an engine whose disk has space again has found that out by itself."""
    until = time.monotonic() + 30
    while chain.is_disk_full and time.monotonic() < until:
        chain.head()
    return chain.why_stopped is None


def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    """
    Given a chain on a disk that is full,
    when a payment is submitted, then space is made and it is submitted again,
    then the first is told of the disk and nothing happened; the second is applied.
    """
    disk = FillingDisk()
    fixed = FixedChain(Store(tmp_path, "fixed", disk=disk))
    payment = fixed.pay("1.00")
    with fixed.running(Clock()) as chain:
        before = chain.head()
        disk.full = True
        with pytest.raises(DiskFull):
            chain.submit(payment)
        assert chain.head() == before
        disk.full = False
        assert takes_again(chain)
        assert chain.submit(payment).height == before.height + 1


def test_a_full_disk_refuses_at_once_and_tells_those_who_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given payments that wait for blocks of two on a disk that has become full,
    when the first block finds no space, and another hundred payments come,
    then everyone is told that nothing happened, none of them waits or is written, the reason is
    given and logged once, and with space all of them are applied.
    """
    caplog.set_level(logging.WARNING, "tongbao.engines.solo")
    disk = FillingDisk()
    fixed = FixedChain(Store(tmp_path, "fixed", disk=disk))
    payments = [fixed.pay("0.10") for _ in range(110)]
    with fixed.running(Clock(), Options(block_transactions=2, linger_ms=1_000)) as chain:
        disk.full = True
        answers = chain.submit_many(payments)
        assert {type(answer) for answer in answers} == {DiskFull}
        tried = disk.refused.count(LOG_FILE)
        for payment in payments[10:]:
            with pytest.raises(DiskFull):
                chain.queue(payment)
        assert (chain.waiting, chain.why_stopped) == (0, WHY)
        assert disk.refused.count(LOG_FILE) == tried == 1
        disk.full = False
        assert takes_again(chain)
        assert {type(answer) for answer in chain.submit_many(payments)} == {Applied}
    told = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert told == [WHY, "there is space on the disk again: transactions are taken"]


def test_due_work_waits_for_space_without_a_rush(tmp_path: Path) -> None:
    """
    Given a hold that has expired on a disk that is full,
    when nobody submits anything until the engine has looked for space three times,
    then the block that is due was not tried in between, and with space the value returns by itself.
    """
    disk, clock = FillingDisk(), Clock()
    fixed = FixedChain(Store(tmp_path, "fixed", disk=disk))
    with fixed.running(clock) as chain:
        chain.submit(fixed.place("40.00", for_ms=5_000_000))
        disk.full = True
        clock.now += 10_000_000
        with pytest.raises(DiskFull):
            chain.submit(fixed.pay("1.00"))
        until = time.monotonic() + 60
        while disk.refused.count("room") < 3:
            assert time.monotonic() < until
        assert disk.refused.count(LOG_FILE) == 1
        disk.full = False
        assert takes_again(chain)
        while held_by_alice(fixed, chain) != 10_000:
            assert time.monotonic() < until


def test_a_failed_sync_stops_the_engine_and_is_not_tried_again(tmp_path: Path) -> None:
    """
    Given a disk whose fdatasync fails,
    when a payment is submitted,
    then the engine stops, says why, and takes nothing more even when the disk works again.
    """
    disk = FillingDisk()
    fixed = FixedChain(Store(tmp_path, "fixed", disk=disk))
    payment, later = fixed.pay("1.00"), fixed.pay("1.00")
    chain = fixed.running(Clock())
    disk.failed = True
    with pytest.raises(EngineStopped, match="fdatasync"):
        chain.submit(payment)
    disk.failed = False
    with pytest.raises(EngineStopped):
        chain.submit(later)
    chain.close()
    assert Store(tmp_path, "fixed").height >= 1
