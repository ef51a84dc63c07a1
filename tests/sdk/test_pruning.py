"""Pruning: bodies go, and everything else stays; whatever a killed run leaves is gone on with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from msgspec import Struct

from tests.sdk.kept_chain import PASSPHRASE, begin, fund, pay
from tests.sdk.pruned_chain import reopen_small
from tongbao.kernel import Address
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.client import Head
from tongbao.sdk.doctor import examine
from tongbao.sdk.folder import FolderError
from tongbao.sdk.opening import open_chain, operator_wallet
from tongbao.sdk.pruning import prune
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import take
from tongbao.store.base import base_heights
from tongbao.store.errors import DamagedLog, FolderInUse, Pruned, StoreError
from tongbao.store.record import BlockRecord
from tongbao.store.snapshot.errors import BadSnapshot

BLOCKS = 8
"""Blocks 0 to 7, each in a file of its own."""


class Small(Struct, frozen=True):
    """A closed chain in small files, and all that it had."""

    folder: Path
    shop: Address
    head: Head
    blocks: tuple[BlockRecord, ...]

    @property
    def files(self) -> int:
        """How many files its log has."""
        return len(list((self.folder / "log").iterdir()))


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A closed chain whose files hold one block each."""
    folder = tmp_path / "chain"
    begin(folder, "pruned")[0].close()
    with reopen_small(folder) as chain:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        shop = fund(operator)
        while chain.head().height < BLOCKS - 1:
            operator.send(pay(shop, "0.01"))
        blocks = tuple(chain.block(height) for height in range(BLOCKS))
        return Small(folder, shop, chain.head(), blocks)


def check(small: Small, first: int) -> None:
    """Bodies are there from `first` on, everything else is, and the chain goes on and is whole."""
    with reopen_small(small.folder) as chain:
        assert chain.head() == small.head
        for record in small.blocks:
            for identifier, number in record.outbox:
                assert chain.status(identifier.hex()).number == number
        for record in small.blocks[first:]:
            assert chain.block(record.height) == record
        for record in small.blocks[:first]:
            with pytest.raises(Pruned, match=f"begin with block {first}"):
                chain.block(record.height)
        operator_wallet(chain, small.folder, PASSPHRASE).send(pay(small.shop, "0.01"))
    assert audit_folder(small.folder).findings == ()
    assert examine(small.folder, is_deep=True).exit_code == 0


def said_by_another(folder: Path, keep: int) -> list[str]:
    """What another process says that prunes a chain."""
    command = [sys.executable, "-m", "tests.sdk.pruner", str(folder), str(keep)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(("keep", "first"), [(0, 7), (1, 7), (3, 5), (7, 1), (8, 0), (100, 0)])
def test_bodies_go_but_those_that_are_kept(small: Small, keep: int, first: int) -> None:
    """
    Given a chain of eight blocks in eight files,
    when all bodies but the last few are given up,
    then those are there and the others are told as pruned; outcomes, headers and rows are all
    there, an audit finds nothing, and the chain goes on. The last file always stays.
    """
    report = prune(small.folder, keep)
    assert (report.base, report.first, report.is_pending) == (BLOCKS - 1, first, False)
    assert small.files == BLOCKS - first
    assert (report.freed > 0) == (first > 0)
    check(small, first)


def test_again_keeps_less_and_never_brings_back(small: Small) -> None:
    """
    Given a chain that keeps four bodies,
    when it is pruned to two, and then asked to keep six,
    then two are there: what is gone is gone, and there is one base.
    """
    assert prune(small.folder, 4).first == 4
    assert prune(small.folder, 2).first == 6
    assert prune(small.folder, 6).first == 6
    assert base_heights(small.folder) == [BLOCKS - 1]
    check(small, 6)


def test_rows_are_made_again_of_the_base_and_the_log(small: Small) -> None:
    """
    Given a pruned chain that has gone on,
    when its rows and its copy of the headers are lost,
    then a start makes both again.
    """
    prune(small.folder, 2)
    check(small, 6)
    with reopen_small(small.folder) as chain:
        head = chain.head()
    shutil.rmtree(small.folder / "state")
    (small.folder / "headers").unlink()
    with reopen_small(small.folder) as chain:
        assert chain.head() == head
        assert chain.status(small.blocks[3].outbox[0][0].hex()).height == 3
    assert audit_folder(small.folder).findings == ()


def test_a_node_that_runs_gives_bodies_up_when_it_starts_again(small: Small) -> None:
    """
    Given a chain that is open,
    when it is pruned,
    then it goes on with all bodies, and the next start gives up those that nobody wants.
    """
    with reopen_small(small.folder) as chain:
        assert said_by_another(small.folder, 2)[-1] == "pending"
        assert chain.block(0) == small.blocks[0]
    assert small.files == BLOCKS
    check(small, 6)


def test_what_is_wanted_and_gone_is_told(small: Small) -> None:
    """
    Given a pruned chain that is to keep its bodies from block 4 on,
    when somebody removes a file of the log, or the base,
    then it is refused as damage, and nothing is changed.
    """
    prune(small.folder, 4)
    names = sorted((small.folder / "log").iterdir())
    names[0].rename(small.folder / "away")
    with pytest.raises(DamagedLog, match="begins with block 5"):
        reopen_small(small.folder)
    (small.folder / "away").rename(names[0])
    base = small.folder / f"base-{BLOCKS - 1:010d}"
    base.rename(small.folder / "away")
    with pytest.raises(DamagedLog, match=r"00000000\.log is missing"):
        reopen_small(small.folder)
    (small.folder / "away").rename(base)
    check(small, 4)


@pytest.mark.parametrize("name", ["manifest.json", "history/outcomes", "chunks/all.rows"])
def test_a_base_that_is_damaged_makes_no_rows(small: Small, name: str) -> None:
    """
    Given a pruned chain without rows, whose base is damaged,
    when it is opened,
    then it is refused with the name of the file, and opened once the file is back.
    """
    prune(small.folder, 0)
    shutil.rmtree(small.folder / "state")
    path = small.folder / f"base-{BLOCKS - 1:010d}" / name
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes(40))
    with pytest.raises(StoreError):
        reopen_small(small.folder)
    assert examine(small.folder).exit_code != 0
    path.write_bytes(data)
    check(small, BLOCKS - 1)


def test_a_negative_count_is_refused(small: Small) -> None:
    """
    Given a chain,
    when fewer than no bodies are to be kept,
    then it is refused.
    """
    with pytest.raises(FolderError):
        prune(small.folder, -1)


def test_two_at_once_do_not_spoil_each_other(small: Small) -> None:
    """
    Given a chain that is being pruned,
    when it is pruned a second time at any step of the first,
    then the second is refused, and the first ends as if it had been alone.
    """
    refused = []

    def again(*_: object) -> None:
        with pytest.raises(FolderInUse, match="another process uses"):
            prune(small.folder, 0)
        refused.append(True)

    assert prune(small.folder, 2, again).first == 6
    assert refused
    check(small, 6)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_work_it_is_gone_on_with(small: Small, seed: int) -> None:
    """
    Given a chain that is being pruned,
    when that process is killed at any step,
    then the chain opens with all that it had, and pruning it again succeeds.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sdk.pruner", str(small.folder), "2"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        for _ in range(Random(seed).randint(1, 14)):
            if process.stdout.readline() in ("", "done\n"):
                break
        process.kill()
    with reopen_small(small.folder) as chain:
        assert chain.head() == small.head
        assert chain.block(BLOCKS - 1) == small.blocks[BLOCKS - 1]
    assert prune(small.folder, 2).first == 6
    assert not list(small.folder.glob("base.part*"))
    check(small, 6)


def test_a_damaged_base_of_the_same_block_is_not_built_upon(small: Small) -> None:
    """
    Given a pruned chain whose base has been damaged since,
    when it is pruned at the same block to keep less,
    then that is refused with the name of the base, and no file of the log goes.
    """
    prune(small.folder, 4)
    files, path = small.files, small.folder / f"base-{BLOCKS - 1:010d}" / "chunks" / "all.rows"
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes(40))
    with pytest.raises(BadSnapshot, match=f"base-{BLOCKS - 1:010d}"):
        prune(small.folder, 0)
    assert small.files == files
    path.write_bytes(data)
    check(small, 4)


def test_a_base_that_says_nothing_keeps_what_is_asked_for(small: Small) -> None:
    """
    Given a folder put together by hand: all bodies, and a base that does not say which are wanted,
    when it is pruned to three,
    then three are there.
    """
    take(small.folder, small.folder.with_name("taken"))
    small.folder.with_name("taken").rename(small.folder / f"base-{BLOCKS - 1:010d}")
    assert prune(small.folder, 3).first == 5
    check(small, 5)


def test_a_chain_without_early_bodies_can_be_pruned_to_more_than_it_has(small: Small) -> None:
    """
    Given a chain that was imported and has gone on, with bodies from its second life alone,
    when it is pruned to more bodies than it has,
    then all that it has are kept.
    """
    taken, folder = small.folder.with_name("taken"), small.folder.with_name("imported")
    take(small.folder, taken)
    import_snapshot(taken, folder)
    assert prune_of_bare(folder)
    shutil.copytree(small.folder / "keys", folder / "keys")
    with reopen_small(folder) as chain:
        operator_wallet(chain, folder, PASSPHRASE).send(pay(small.shop, "0.01"))
    assert prune(folder, 100).first == BLOCKS
    assert audit_folder(folder).findings == ()


def prune_of_bare(folder: Path) -> bool:
    """A chain on a base without a block in its log is pruned to the same."""
    open_chain(folder).close()
    return prune(folder, 100).first == BLOCKS


def test_a_base_s_name_is_no_name_for_a_snapshot(small: Small) -> None:
    """
    Given a chain,
    when a snapshot is to be taken under a name that a chain gives its base,
    then it is refused: the next start would take it for one.
    """
    with pytest.raises(FolderError, match="choose another name"):
        take(small.folder, small.folder / "base-0000000003")
