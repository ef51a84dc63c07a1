"""`tongbao prune`: what it says, beside a node and without one, and with which code it ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import Place
from tests.node.process import running
from tests.sdk.kept_chain import PASSPHRASE, begin, fund, pay
from tests.sdk.pruned_chain import reopen_small
from tongbao.cli.exits import Exit
from tongbao.sdk.opening import operator_wallet

BLOCKS = 8
"""Blocks 0 to 7, each in a file of its own."""


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed chain whose files hold one block each, which no test changes."""
    folder = tmp_path_factory.mktemp("laid") / "chain"
    begin(folder, "pruned")[0].close()
    with reopen_small(folder) as chain:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        shop = fund(operator)
        while chain.head().height < BLOCKS - 1:
            operator.send(pay(shop, "0.01"))
    return folder


@pytest.fixture
def here(laid: Path, tmp_path: Path) -> Place:
    """A copy of it, to prune."""
    return Place(Path(shutil.copytree(laid, tmp_path / "chain")), PASSPHRASE)


def files_of(place: Place) -> int:
    """How many files the log has."""
    return len(list((place.folder / "log").iterdir()))


def test_the_verdict_says_where_bodies_begin(here: Place) -> None:
    """
    Given a chain of eight blocks in eight files,
    when it is pruned to its last two, and then to fewer,
    then each verdict says where bodies begin, JSON has the same in numbers, and the audit and the
    doctor find nothing.
    """
    head = here.do("status")
    told = here.call("prune", "--keep-blocks", "2")
    what = f"prune: base of block 7 of {head['chain']}"
    assert (told.code, told.last) == (0, f"{what}; bodies begin with block 6, 0 MB freed")
    assert files_of(here) == 2

    again = here.do("prune", "--keep-blocks", "0")
    assert again.pop("freed") > 0
    expected = {"base": 7, "keep_from": 8, "first": 7, "is_pending": False}
    assert again == {"chain": head["chain"]} | expected
    assert here.do("status") == head
    assert here.do("audit")["findings"] == []
    assert here.call("doctor").code == 0


def test_beside_a_node_files_go_when_it_starts_again(here: Place) -> None:
    """
    Given a chain that a node serves,
    when it is pruned,
    then the verdict says that bodies go at the next start, none has gone, and then they go.
    """
    with running(here.folder):
        told = here.call("prune", "--keep-blocks", "3")
        also = here.do("prune", "--keep-blocks", "3")
        assert files_of(here) >= BLOCKS
    assert told.code == 0
    assert told.last.endswith("; bodies below block 5 go when its node starts again")
    assert (also["is_pending"], also["freed"]) == (True, 0)
    here.do("status")
    assert files_of(here) == 3
    assert here.do("audit")["findings"] == []


def test_a_wrong_value_prunes_nothing(here: Place, nowhere: Place) -> None:
    """
    Given a chain, and a folder that holds none,
    when no number of blocks is given, or one that is none, or the folder has no chain,
    then each ends with its code and says what to do, and the log is as it was.
    """
    for words in ((), ("--keep-blocks", "-1"), ("--keep-blocks", "all")):
        told = here.call("prune", *words)
        assert (told.code, "do: tongbao prune --help" in told.err) == (Exit.USAGE, True)
    missing = nowhere.call("prune", "--keep-blocks", "1")
    assert (missing.code, "holds no chain" in missing.err) == (Exit.NO_INPUT, True)
    assert not nowhere.folder.exists()
    assert files_of(here) == BLOCKS
    assert not list(here.folder.glob("base*"))


def test_rows_that_can_not_be_believed_prune_nothing(here: Place) -> None:
    """
    Given a chain whose rows are damaged,
    when it is pruned,
    then it ends with a code and words, no base is left, and no file of the log has gone.
    """
    path = here.folder / "state" / "data.mdb"
    path.write_bytes(bytes(path.stat().st_size))
    told = here.call("prune", "--keep-blocks", "0")
    assert told.code == Exit.FILE
    assert told.err.splitlines()[-1].startswith("error: ")
    assert files_of(here) == BLOCKS
    assert not list(here.folder.glob("base*"))
