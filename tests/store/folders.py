"""Folders of chains as accidents leave them, and what must hold when they are opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, files_of, rows_after, status_of, transaction_id
from tongbao.store.disk import Disk
from tongbao.store.errors import DamagedLog, StoreError
from tongbao.store.interface import AnyStore
from tongbao.store.record import line_of
from tongbao.store.store import Store

END = b"\xff"
BLOCKS = 8


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


def open_store(folder: Path, disk: Disk | None = None, clock: Clock | None = None) -> Store:
    """A store whose time stands still, so that rows follow only as a test wants it."""
    return Store.open(folder, CHAIN, disk, clock=clock or Clock(), map_bytes=1 << 20)


def make(folder: Path, last: int, *, flushed: bool = True) -> Path:
    """A folder as a killed process leaves it, with rows up to `last`, or with none."""
    live = folder.with_name(folder.name + ".live")
    live.mkdir()
    with open_store(live) as store:
        for height in range(last + 1):
            store.append(block(height))
            if flushed:
                store.maintain(idle=True)
        shutil.copytree(live, folder)
    return folder


def check(store: AnyStore, height: int) -> None:
    """Everything a store tells is what the blocks up to a height say."""
    blocks = [block(at) for at in range(height + 1)]
    assert (store.height, store.last) == (height, line_of(blocks[-1]) if blocks else None)
    assert [store.block(at) for at in range(height + 1)] == blocks
    assert store.headers(0, height + 5) == [line_of(record) for record in blocks]
    assert list(store.scan(b"", END)) == rows_after(height)
    assert [store.get(key) for key, _ in rows_after(height)] == [it[1] for it in rows_after(height)]
    for at in range(height + 1):
        found = [store.status(transaction_id(at, index)) for index in (0, 1, 2)]
        assert found == [status_of(at), status_of(at, 1), None]


def opens_with(folder: Path, height: int) -> None:
    """The folder opens with every block up to a height, goes on, and opens again."""
    with open_store(folder) as store:
        check(store, height)
        store.append(block(height + 1))
    with open_store(folder) as store:
        check(store, height + 1)


def refused(folder: Path, kind: type[StoreError] = DamagedLog) -> str:
    """What is said when the folder is refused; nothing in it has changed."""
    before = files_of(folder)
    with pytest.raises(StoreError) as error:
        open_store(folder)
    assert type(error.value) is kind
    assert files_of(folder) == before
    return str(error.value)
