"""The files of `history/`: read as they were written, and nothing else is believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from tongbao.store.errors import StoreError, WrongChain, WrongVersion
from tongbao.store.record import Status
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import (
    BLOCK_BYTES,
    ENTRY_VALUE_LIMIT,
    HEAD,
    OUTCOME,
    Outcome,
    entries_file,
    outcomes_file,
    read_entries,
    read_outcomes,
)

CHAIN: Final = "demo-01234567"
HEIGHT: Final = 9
OUTCOMES: Final[list[Outcome]] = [
    (sha256(b"%d" % at).digest(), Status(at % (HEIGHT + 1), at, 0 if at % 3 else 100 + at))
    for at in range(20)
]
OUTCOMES.sort()
ENTRIES: Final = [(b"\x80\x01%02d" % at, b"row %d" % at * (at % 4)) for at in range(20)]


def outcomes_at(path: Path, outcomes: list[Outcome] = OUTCOMES) -> Path:
    """A file of outcomes."""
    path.write_bytes(b"".join(outcomes_file(CHAIN, HEIGHT, outcomes)))
    return path


def entries_at(path: Path, entries: list[tuple[bytes, bytes]] = ENTRIES) -> Path:
    """A file of local rows."""
    path.write_bytes(b"".join(entries_file(CHAIN, HEIGHT, entries)))
    return path


def outcomes_in(path: Path) -> list[Outcome]:
    """What is read of it."""
    return list(read_outcomes(path, CHAIN, HEIGHT))


def entries_in(path: Path) -> list[tuple[bytes, bytes]]:
    """What is read of it."""
    return list(read_entries(path, CHAIN, HEIGHT))


def sealed(path: Path, *, records: bytes, count: int) -> None:
    """Put other records into a file, under a hash that is right."""
    data = path.read_bytes()[: HEAD.size] + records + count.to_bytes(8, "big")
    path.write_bytes(data + sha256(data).digest())


def records_of(path: Path) -> bytes:
    """The bytes of all records of a file."""
    return path.read_bytes()[HEAD.size : -40]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_what_was_written_is_read(tmp_path: Path, count: int) -> None:
    """
    Given outcomes and local rows, also none,
    when they are written and read,
    then they are the same.
    """
    assert outcomes_in(outcomes_at(tmp_path / "outcomes", OUTCOMES[:count])) == OUTCOMES[:count]
    assert entries_in(entries_at(tmp_path / "entries", ENTRIES[:count])) == ENTRIES[:count]


def test_files_of_many_pieces_are_read(tmp_path: Path) -> None:
    """
    Given more outcomes and rows than are written at once,
    when they are written and read,
    then there are several pieces, and they are the same.
    """
    many = BLOCK_BYTES // OUTCOME.size * 2
    outcomes = [(at.to_bytes(32, "big"), Status(1, at, 0)) for at in range(many)]
    entries = [(at.to_bytes(4, "big"), bytes(ENTRY_VALUE_LIMIT)) for at in range(1, 4)]

    assert len(list(outcomes_file(CHAIN, HEIGHT, outcomes))) > 1
    assert len(list(entries_file(CHAIN, HEIGHT, entries))) > 1
    assert outcomes_in(outcomes_at(tmp_path / "outcomes", outcomes)) == outcomes
    assert entries_in(entries_at(tmp_path / "entries", entries)) == entries


def test_any_flipped_bit_is_refused_before_the_first_record(tmp_path: Path) -> None:
    """
    Given a file of each kind,
    when any bit of it is another,
    then no record is given.
    """
    for path, reader in (
        (outcomes_at(tmp_path / "outcomes", OUTCOMES[:3]), read_outcomes),
        (entries_at(tmp_path / "entries", ENTRIES[:3]), read_entries),
    ):
        data = path.read_bytes()
        for bit in range(len(data) * 8):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            with pytest.raises(StoreError):
                next(reader(path, CHAIN, HEIGHT))


def test_a_file_cut_anywhere_or_grown_is_refused(tmp_path: Path) -> None:
    """
    Given a file of each kind,
    when it is cut at any byte, or has more,
    then it is refused.
    """
    for path, reader in (
        (outcomes_at(tmp_path / "outcomes", OUTCOMES[:3]), outcomes_in),
        (entries_at(tmp_path / "entries", ENTRIES[:3]), entries_in),
    ):
        data = path.read_bytes()
        for changed in (*(data[:end] for end in range(len(data))), data + b"\0"):
            path.write_bytes(changed)
            with pytest.raises(BadSnapshot):
                reader(path)


def test_files_of_another_chain_height_kind_or_version_are_told(tmp_path: Path) -> None:
    """
    Given a file of outcomes,
    when it is read as that of another chain or height, as entries, or with another format,
    then each is refused in its own words.
    """
    path = outcomes_at(tmp_path / "outcomes")
    with pytest.raises(WrongChain, match=f"of chain '{CHAIN}', not demo-0123456 *"):
        list(read_outcomes(path, "demo-0123456", HEIGHT))
    with pytest.raises(BadSnapshot, match="of block 9, not 8"):
        list(read_outcomes(path, CHAIN, HEIGHT - 1))
    with pytest.raises(BadSnapshot, match="begins otherwise"):
        entries_in(path)
    data = bytearray(path.read_bytes())
    data[7] = 2
    path.write_bytes(data)
    with pytest.raises(WrongVersion, match="has format 2"):
        outcomes_in(path)


def _row(key_bytes: int, value_bytes: int) -> bytes:
    return key_bytes.to_bytes(2, "big") + value_bytes.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("change", "count", "text"),
    [
        (lambda data: data, 19, "says 19 outcomes"),
        (lambda data: data[:-1], 20, "says 20 outcomes"),
        (lambda data: data[48:96] + data[:48], 2, "not in order"),
        (lambda data: data[:48] * 2, 2, "not in order"),
        (lambda data: data[:32] + (10).to_bytes(8, "big") + data[40:48], 1, "after block 9"),
    ],
)
def test_outcomes_that_nobody_would_write_are_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], count: int, text: str
) -> None:
    """
    Given outcomes under a right hash that are not in order, of a later block, or miscounted,
    when they are read,
    then they are refused.
    """
    path = outcomes_at(tmp_path / "outcomes")
    sealed(path, records=change(records_of(path)), count=count)
    with pytest.raises(BadSnapshot, match=text):
        outcomes_in(path)


@pytest.mark.parametrize(
    ("records", "count", "text"),
    [
        (_row(1, 0) + b"a", 0, "more rows"),
        (_row(1, 0) + b"a", 2, "fewer rows"),
        (_row(0, 1) + b"a", 1, "impossible lengths"),
        (_row(512, 0) + bytes(512), 1, "impossible lengths"),
        (_row(1, 1) + b"a", 1, "impossible lengths"),
        (_row(1, ENTRY_VALUE_LIMIT + 1) + bytes(ENTRY_VALUE_LIMIT + 2), 1, "impossible lengths"),
        (_row(1, 0) + b"b" + _row(1, 0) + b"a", 2, "not in order"),
        (_row(1, 0) + b"a" + _row(1, 0) + b"a", 2, "not in order"),
    ],
)
def test_rows_that_nobody_would_write_are_refused(
    tmp_path: Path, records: bytes, count: int, text: str
) -> None:
    """
    Given local rows under a right hash that are not in order, too long, or miscounted,
    when they are read,
    then they are refused.
    """
    path = entries_at(tmp_path / "entries")
    sealed(path, records=records, count=count)
    with pytest.raises(BadSnapshot, match=text):
        entries_in(path)


def test_links_pipes_and_missing_files_are_refused(tmp_path: Path) -> None:
    """
    Given a link to a good file, a pipe that nobody writes to, a folder, and nothing,
    when each is read,
    then it is refused, and nothing is waited for.
    """
    (tmp_path / "link").symlink_to(outcomes_at(tmp_path / "outcomes"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(BadSnapshot, match="no plain file"):
            outcomes_in(tmp_path / name)
    with pytest.raises(BadSnapshot, match="is missing"):
        outcomes_in(tmp_path / "nothing")
