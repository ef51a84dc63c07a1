"""The history of a snapshot: taken whole, its headers proven, and nothing foreign believed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.sdk.kept_chain import PASSPHRASE, keep, reopen
from tests.sdk.test_opening_upgraded import BEGINS
from tests.sdk.test_opening_upgraded import kept as upgraded
from tests.store.blocks import files_of
from tongbao.engines.solo.header import read_header, sign_header
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.folder import Folder
from tongbao.sdk.opening import open_producer, operator_wallet
from tongbao.sdk.snapshots import take, verify
from tongbao.store.errors import StoreError, WrongChain
from tongbao.store.headers import write_head, write_line
from tongbao.store.record import HeaderLine, statuses_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import read_entries, read_headers, read_outcomes
from tongbao.store.snapshot.names import HISTORY

FILES = ("headers", "outcomes", "entries")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed chain of six blocks, which no test changes."""
    return keep(tmp_path_factory.mktemp("kept") / "chain").folder


@pytest.fixture(scope="module")
def taken(kept: Path) -> Path:
    """A snapshot of it, which no test changes."""
    take(kept, kept.with_name("taken"))
    return kept.with_name("taken")


@pytest.fixture
def copied(taken: Path, tmp_path: Path) -> Path:
    """A copy of the snapshot."""
    return Path(shutil.copytree(taken, tmp_path / "copied"))


def lines_of(snapshot: Path) -> list[HeaderLine]:
    """The headers of a snapshot."""
    report = verify(snapshot)
    return list(read_headers(snapshot / HISTORY / "headers", report.chain, report.height))


def put_lines(snapshot: Path, chain: str, lines: Iterable[HeaderLine]) -> None:
    """Put other headers into a snapshot, each line whole."""
    data = write_head(chain) + b"".join(map(write_line, lines))
    (snapshot / HISTORY / "headers").write_bytes(data)


# Taking


def test_history_is_what_the_blocks_say(kept: Path, taken: Path) -> None:
    """
    Given a chain and its snapshot,
    when headers, outcomes and entries are read,
    then they are those of its blocks and rows, and the report counts them.
    """
    report = verify(taken)
    of = (report.chain, report.height)
    place = Folder(kept)
    producer, store = open_producer(place, place.genesis(), None)
    with store:
        blocks = [store.block(height) for height in range(report.height + 1)]
        rows = dict(store.scan(b"", b"\xff" * 512))
    hashed = {table.prefix for table in producer.machine.registry.tables.values()}
    statuses = dict(pair for block in blocks for pair in statuses_of(block))

    assert lines_of(taken) == [HeaderLine(x.height, x.time, x.header) for x in blocks]
    assert dict(read_outcomes(taken / HISTORY / "outcomes", *of)) == statuses
    entries = dict(read_entries(taken / HISTORY / "entries", *of))
    assert entries == {key: value for key, value in rows.items() if key[:4] not in hashed}
    assert (report.kind, report.headers, report.outcomes, report.entries) == (
        "with history",
        len(blocks),
        len(statuses),
        len(entries),
    )
    assert statuses
    assert entries


@pytest.mark.parametrize("kept_bytes", [0, 1, 500, 2_000])
def test_headers_that_the_copy_lacks_come_from_the_log(
    kept: Path, taken: Path, tmp_path: Path, kept_bytes: int
) -> None:
    """
    Given a chain whose copy of the headers is cut, to nothing or within a line,
    when a snapshot is taken,
    then it is byte for byte the one before.
    """
    folder = shutil.copytree(kept, tmp_path / "chain")
    os.truncate(folder / "headers", kept_bytes)

    take(folder, tmp_path / "snapshot")
    assert files_of(tmp_path / "snapshot") == files_of(taken)


def test_two_nodes_of_one_chain_take_the_same_history(
    kept: Path, taken: Path, tmp_path: Path
) -> None:
    """
    Given a node whose chain has gone on, and another that makes its rows out of the same log,
    when each takes a snapshot,
    then both are byte for byte the same, and not that of the block before.
    """
    first = later(kept, tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    shutil.copy(kept / "genesis.json", second / "genesis.json")
    shutil.copytree(tmp_path / "later" / "log", second / "log")
    audit_folder(second)

    take(second, tmp_path / "by-second")
    assert files_of(tmp_path / "by-second") == files_of(first)
    assert files_of(first)["history/outcomes"] != files_of(taken)["history/outcomes"]


def test_a_chain_that_was_upgraded_has_history(tmp_path: Path) -> None:
    """
    Given a chain whose code is named by an upgrade,
    when a snapshot is taken and verified,
    then it has as many headers as blocks, and the entries that the audit counts.
    """
    folder = upgraded(tmp_path / "chain", BEGINS + 1)
    report = take(folder, tmp_path / "snapshot")
    assert verify(tmp_path / "snapshot") == report
    assert (report.headers, report.entries) == (BEGINS + 2, audit_folder(folder).index_entries)


def test_headers_that_are_not_linked_make_no_snapshot(kept: Path, tmp_path: Path) -> None:
    """
    Given a chain in whose copy of the headers one line is another's,
    when a snapshot is taken,
    then it is refused with what to do, which helps.
    """
    folder = Path(shutil.copytree(kept, tmp_path / "chain"))
    taken = take(folder, tmp_path / "before")
    lines = lines_of(tmp_path / "before")
    lines[2] = replace(lines[2], header=lines[3].header)
    data = write_head(taken.chain) + b"".join(map(write_line, lines))
    (folder / "headers").write_bytes(data)

    with pytest.raises(BadSnapshot, match=r"block 2: it does not follow.*remove .*headers"):
        take(folder, tmp_path / "snapshot")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before", "chain"]
    (folder / "headers").unlink()
    assert take(folder, tmp_path / "snapshot") == taken


# Verifying


def test_a_snapshot_without_history_is_of_rows_only(copied: Path) -> None:
    """
    Given a snapshot as it was made before there was history,
    when it is verified,
    then it is valid, and is said to have rows only.
    """
    whole = verify(copied)
    shutil.rmtree(copied / HISTORY)

    assert verify(copied) == replace(whole, kind="rows only", headers=0, outcomes=0, entries=0)


def _link(file: Path) -> None:
    file.rename(file.parents[2] / file.name)
    file.symlink_to(file.parents[2] / file.name)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _grow(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _link_folder(file: Path) -> None:
    file.parent.rename(file.parents[2] / "elsewhere")
    file.parent.symlink_to(file.parents[2] / "elsewhere")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Path.unlink, "is missing"),
        (_link, "no plain file"),
        (_pipe, "no plain file"),
        (_grow, "damaged|more than the headers"),
        (_cut, "damaged|no whole header of block 5"),
        (lambda file: file.write_bytes(b""), "too short|no whole header of block 0"),
        (lambda file: file.with_name("more").touch(), "more is no part"),
        (_link_folder, "is no folder"),
    ],
)
def test_damaged_files_of_history_are_refused(
    copied: Path, name: str, change: Callable[[Path], None], text: str
) -> None:
    """
    Given a snapshot with a file of its history missing, cut, grown, or in whose place is another,
    when it is verified,
    then it is refused by name, and nothing is waited for.
    """
    change(copied / HISTORY / name)
    with pytest.raises(BadSnapshot, match=text):
        verify(copied)


def later(kept: Path, tmp_path: Path) -> Path:
    """A snapshot of a copy of the chain that has gone on by a block; the copy is in `later`."""
    folder = Path(shutil.copytree(kept, tmp_path / "later"))
    with reopen(folder) as chain:
        operator_wallet(chain, folder, PASSPHRASE).open_account(key("another shop"))
    take(folder, tmp_path / "later-snapshot")
    return tmp_path / "later-snapshot"


@pytest.mark.parametrize("name", FILES)
def test_files_of_another_snapshot_are_refused(
    kept: Path, copied: Path, tmp_path: Path, name: str
) -> None:
    """
    Given the files of a snapshot of another chain, and of a later block of this one,
    when one of them is in the place of this snapshot's,
    then it is refused, whichever way they were swapped.
    """
    other = keep(tmp_path / "other", "other").folder
    take(other, tmp_path / "others")
    after = later(kept, tmp_path)
    assert verify(after).height == verify(copied).height + 1
    good = (copied / HISTORY / name).read_bytes()
    for source in (tmp_path / "others", after):
        shutil.copy(source / HISTORY / name, copied / HISTORY / name)
        with pytest.raises((BadSnapshot, WrongChain)):
            verify(copied)
    (after / HISTORY / name).write_bytes(good)
    with pytest.raises(BadSnapshot):
        verify(after)


def test_headers_are_believed_only_when_linked_and_signed(kept: Path, copied: Path) -> None:
    """
    Given a snapshot in which one header is signed by a stranger, twice there, another time's or
    another block's, or whose last is not the manifest's, each line whole,
    when it is verified,
    then it is refused, and the block is named.
    """
    good = lines_of(copied)
    chain = chain_id(Folder(kept).genesis())
    stranger = key("stranger")
    header, _ = read_header(good[3].header)
    for at, line, text in (
        (3, replace(good[3], header=sign_header(header, stranger)), "block 3: .* is no authority"),
        (3, replace(good[3], time=good[3].time + 1), "another height or time"),
        (3, replace(good[3], header=good[2].header), "block 3: it does not follow"),
        (3, replace(good[3], header=good[3].header[:-4] + b"AAAA"), "signature is wrong"),
        (3, replace(good[3], header=b""), "block 3: not a signed header"),
        (
            5,
            replace(good[5], header=sign_header(read_header(good[5].header)[0], stranger)),
            "authority",
        ),
    ):
        put_lines(copied, chain, [*good[:at], line, *good[at + 1 :]])
        with pytest.raises(BadSnapshot, match=text):
            verify(copied)
    put_lines(copied, chain, good)
    assert verify(copied).headers == len(good)


def test_a_line_in_another_spelling_is_refused(copied: Path) -> None:
    """
    Given a header's line that MessagePack can read and nobody here would write,
    when the snapshot is verified,
    then it is refused: one snapshot has one spelling.
    """
    path = copied / HISTORY / "headers"
    good = lines_of(copied)
    first = write_line(good[0])
    body = first[20:]
    assert body[:2] == b"\x93\x00"
    longer = b"\x93\xcc\x00" + body[2:]
    line = len(longer).to_bytes(4, "big") + sha256(longer).digest()[:16] + longer
    data = path.read_bytes()
    path.write_bytes(data.replace(first, line))
    with pytest.raises(BadSnapshot, match="no whole header of block 0"):
        verify(copied)


def test_progress_is_told_for_each_stage(copied: Path) -> None:
    """
    Given a snapshot,
    when it is verified,
    then each stage is told to its end.
    """
    told: dict[str, tuple[int, int]] = {}
    report = verify(copied, progress=lambda stage, done, total: told.update({stage: (done, total)}))
    assert told == {
        "verify": (report.chunks, report.chunks),
        "headers": (report.headers, report.headers),
        "outcomes": (report.outcomes, report.outcomes),
        "entries": (report.entries, report.entries),
    }


def test_any_flipped_bit_of_history_is_refused(copied: Path) -> None:
    """
    Given a snapshot,
    when any of many bits of its history is another,
    then it is refused.
    """
    for name in FILES:
        path = copied / HISTORY / name
        data = path.read_bytes()
        for bit in range(0, len(data) * 8, 97):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            with pytest.raises(StoreError):
                verify(copied)
        path.write_bytes(data)
    assert verify(copied).kind == "with history"
