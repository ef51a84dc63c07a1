"""What the doctor removes when it is told to, and what it never removes."""

from __future__ import annotations

import pytest

from tests.sdk.damaged_folder import change_a_row, feed, lose_the_last_block, noise, write
from tests.sdk.examined import Found, bytes_of, found_in
from tests.sdk.kept_chain import Kept, keep, rows_of, whole
from tongbao.sdk.doctor import repair
from tongbao.sdk.doctor_finding import Severity
from tongbao.sdk.opening import open_chain

MENDS = Severity.MENDS


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A closed chain with an index: made once, and only copied."""
    made = keep(tmp_path_factory.mktemp("original") / "chain")
    feed(made, made.head.height)
    return made


def test_a_changed_row_is_found_deeply_and_mended_when_told(kept: Kept) -> None:
    """
    Given rows in which somebody has changed one by LMDB's own means,
    when the folder is examined, then deeply, and the rows repaired,
    then the root tells, only `state/` is removed, and the chain opens with what it had.
    """
    change_a_row(kept)
    assert found_in(kept.folder)[0] == Found(())
    found, said = found_in(kept.folder, is_deep=True)
    assert found == Found((("root", MENDS),))
    assert "not those that the header of block 5 commits to" in said
    assert repair(kept.folder, ("rows",), is_deep=True) == [str(kept.folder / "state")]
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


def test_a_repair_removes_what_is_named_and_damaged_and_nothing_else(kept: Kept) -> None:
    """
    Given a folder whose rows, headers and index are noise, and with leftovers,
    when the index is repaired, then everything, then everything again,
    then only what was named goes, the log, keys and genesis stay, and it opens whole.
    """
    for name in ("state/data.mdb", "headers", "index.sqlite"):
        noise(name)(kept)
    write("room")(kept)
    (kept.folder / "state.new").mkdir()
    before = bytes_of(kept.folder)
    index = str(kept.folder / "index.sqlite")
    assert repair(kept.folder, ("index",)) == [index]
    everything = ("rows", "headers", "index", "leftovers")
    names = ("headers", "state", "room", "state.new")
    assert repair(kept.folder, everything) == [str(kept.folder / name) for name in names]
    assert repair(kept.folder, everything) == []
    after = bytes_of(kept.folder)
    gone = {name for name in before if name.partition("/")[0] in {*names, "index.sqlite"}}
    assert {name: after[name] for name in after if name != "lock"} == {
        name: before[name] for name in before.keys() - gone - {"lock"}
    }
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


def test_evidence_of_lost_blocks_is_never_removed(kept: Kept) -> None:
    """
    Given a log that lost its last block, and a copy of the headers with a damaged end,
    when everything is repaired,
    then nothing is removed: rows and headers are what says that blocks are missing.
    """
    lose_the_last_block(kept)
    path = kept.folder / "headers"
    path.write_bytes(path.read_bytes() + b"rest")
    before = bytes_of(kept.folder)
    assert repair(kept.folder, ("rows", "headers", "index", "leftovers")) == []
    after = bytes_of(kept.folder)
    assert {name: after[name] for name in after if name != "lock"} == {
        name: before[name] for name in before if name != "lock"
    }
