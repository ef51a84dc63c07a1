"""Folders whose files were changed, lost or exchanged: what is mended, and what is refused."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from msgspec.structs import replace

from tests.sdk.kept_chain import (
    PASSPHRASE,
    Kept,
    keep,
    pay,
    reopen,
    rows_of,
    whole,
)
from tests.store.blocks import files_of
from tongbao.cli.exits import Exit
from tongbao.modules.registry import registry
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.folder import Folder
from tongbao.sdk.opening import open_chain, operator_wallet
from tongbao.store.errors import DamagedLog, StoreError, WrongChain
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head
from tongbao.store.store import Store

Damage = Callable[[lmdb.Transaction, "lmdb._Database"], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Made once, and only copied."""
    return keep(tmp_path_factory.mktemp("original") / "chain")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Another chain, whose files must not pass for the first one's."""
    return keep(tmp_path_factory.mktemp("stranger") / "chain", "stranger")


def goes_on(kept: Kept) -> None:
    """The chain opens with all that it had, to read and to write, takes a payment, and reopens."""
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
        assert chain.audit() == []
    with reopen(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
        operator_wallet(chain, kept.folder, PASSPHRASE).send(pay(kept.shop, "1.00"))
        head = chain.head()
    with reopen(kept.folder) as chain:
        assert chain.head() == head


def refused(folder: Path, kind: type[StoreError]) -> str:
    """What is said to readers and writers alike; no file that keeps anything has changed."""
    before = files_of(folder)
    said = []
    for passphrase in (None, PASSPHRASE):
        with pytest.raises(kind) as caught:
            open_chain(folder, passphrase=passphrase)
        said.append(str(caught.value))
    assert files_of(folder) == before
    assert said[0] == said[1]
    return said[0]


# Rows


def holding_in(txn: lmdb.Transaction, rows: lmdb._Database) -> tuple[bytes, bytes]:
    """The shop's holding: its key and value."""
    with txn.cursor(db=rows) as cursor:
        items = ((bytes(at), bytes(value)) for at, value in cursor)
        return next(item for item in items if b'"amount":"6.00"' in item[1])


def change_a_value(txn: lmdb.Transaction, rows: lmdb._Database) -> None:
    """Give the shop 90.00 more."""
    at, value = holding_in(txn, rows)
    assert txn.put(at, value.replace(b"6.00", b"96.00"), db=rows)


def remove_a_row(txn: lmdb.Transaction, rows: lmdb._Database) -> None:
    """Lose the shop's holding."""
    at, _ = holding_in(txn, rows)
    assert txn.delete(at, db=rows)


def add_a_row(txn: lmdb.Transaction, rows: lmdb._Database) -> None:
    """Copy the first row under a key that follows it."""
    with txn.cursor(db=rows) as cursor:
        assert cursor.first()
        at, value = cursor.item()
    assert txn.put(bytes(at) + b"\0", value, db=rows)


def exchange_two_values(txn: lmdb.Transaction, rows: lmdb._Database) -> None:
    """Let the first two rows that differ have each other's values."""
    with txn.cursor(db=rows) as cursor:
        (first, one), (second, other) = list(cursor)[:2]
    assert one != other
    txn.put(first, other, db=rows)
    txn.put(second, one, db=rows)


@pytest.mark.parametrize("damage", [change_a_value, remove_a_row, add_a_row, exchange_two_values])
def test_changed_rows_are_noticed_and_made_anew_from_the_log(
    kept: Kept, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a closed chain in whose LMDB somebody has changed rows by LMDB's own means,
    when it is opened,
    then the root of its last header does not fit, rows are rebuilt, said once, and it goes on.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    with lmdb.open(str(kept.folder / "state"), max_dbs=3, create=False) as environment:
        rows = environment.open_db(b"rows", create=False)
        with environment.begin(write=True) as txn:
            damage(txn, rows)
    goes_on(kept)
    assert caplog.messages == [
        "state/ is not what the last header commits to: it is rebuilt from the log"
    ]


def test_a_lost_index_entry_is_for_the_audit_to_find(kept: Kept) -> None:
    """
    Given a chain whose LMDB has lost an index entry, which no root covers,
    when it is opened, audited, and its `state/` removed and audited again,
    then it opens, the audit names the index, and rows made anew have the entry.
    """
    index = next(each for each in registry().indexes.values() if each.name == "by_issuer")
    with lmdb.open(str(kept.folder / "state"), max_dbs=3, create=False) as environment:
        rows = environment.open_db(b"rows", create=False)
        with environment.begin(write=True) as txn, txn.cursor(db=rows) as cursor:
            assert cursor.set_range(index.prefix)
            assert cursor.key().startswith(index.prefix)
            assert cursor.delete()
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
    assert audit_folder(kept.folder).findings == (
        "index asset.by_issuer does not list the rows of definitions",
    )
    shutil.rmtree(kept.folder / "state")
    assert audit_folder(kept.folder).findings == ()
    goes_on(kept)


def test_rows_that_are_gone_are_made_anew_from_the_log(kept: Kept) -> None:
    """
    Given a closed chain whose LMDB folder was deleted,
    when it is opened,
    then everything is there as before, and it goes on.
    """
    shutil.rmtree(kept.folder / "state")
    goes_on(kept)


def test_rows_that_are_garbage_or_cut_are_made_anew_from_the_log(kept: Kept) -> None:
    """
    Given a closed chain whose LMDB file was cut anywhere, or is noise,
    when it is opened to read,
    then everything is there as before.
    """
    data = kept.folder / "state" / "data.mdb"
    good = data.read_bytes()
    for bad in (b"", good[:100], good[: len(good) // 2], bytes(len(good)), good[::-1]):
        data.write_bytes(bad)
        with open_chain(kept.folder) as chain:
            assert rows_of(kept, chain) == whole(kept)
    goes_on(kept)


def test_rows_and_headers_of_another_chain_are_made_anew_from_the_log(
    kept: Kept, stranger: Kept
) -> None:
    """
    Given a chain into whose folder another chain's `state/` and `headers` were copied,
    when it is opened,
    then both are of this chain again, and it goes on.
    """
    headers = (kept.folder / "headers").read_bytes()
    shutil.rmtree(kept.folder / "state")
    shutil.copytree(stranger.folder / "state", kept.folder / "state")
    shutil.copyfile(stranger.folder / "headers", kept.folder / "headers")
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
    assert (kept.folder / "headers").read_bytes() == headers
    goes_on(kept)


# The log


def test_a_log_of_another_chain_is_refused(kept: Kept, stranger: Kept) -> None:
    """
    Given a chain into whose folder another chain's log was copied, with its rows or without any,
    when it is opened,
    then it is refused, both chains are named, and nothing has changed.
    """
    shutil.rmtree(kept.folder / "log")
    shutil.copytree(stranger.folder / "log", kept.folder / "log")
    said = refused(kept.folder, WrongChain)
    assert f"of chain {stranger.head.chain}, not {kept.head.chain}" in said
    shutil.rmtree(kept.folder / "state")
    (kept.folder / "headers").unlink()
    assert refused(kept.folder, WrongChain) == said
    assert WrongChain.exit_code == Exit.WRONG


def test_a_log_that_is_gone_is_refused_while_anything_remembers_it(kept: Kept) -> None:
    """
    Given a chain whose log was deleted,
    when it is opened, with its rows and then with the copy of the headers alone,
    then it is refused, for blocks were acknowledged, and no new history begins.
    """
    shutil.rmtree(kept.folder / "log")
    assert f"blocks up to {kept.head.height} were acknowledged" in refused(kept.folder, DamagedLog)
    shutil.rmtree(kept.folder / "state")
    assert f"blocks up to {kept.head.height} were acknowledged" in refused(kept.folder, DamagedLog)


def frames_of(path: Path) -> list[tuple[int, int]]:
    """Where each block stands in a segment."""
    data = path.read_bytes()
    head = read_segment_head(data)
    assert head is not None
    found = []
    at = SEGMENT_HEAD
    while (frame := read_frame(head.salt, data, at)) is not None:
        found.append((frame.start, frame.end))
        at = frame.end
    assert at == len(data)
    return found


def test_a_damaged_block_is_refused_wherever_it_stands(kept: Kept) -> None:
    """
    Given a closed chain in whose log one bit of one block was flipped,
    when it is opened, with rows and without,
    then it is refused, the block is named, and nothing has changed; put right, it goes on.
    """
    path = kept.folder / "log" / "00000000.log"
    good = path.read_bytes()
    places = frames_of(path)
    assert len(places) == kept.head.height + 1
    for height, (start, end) in enumerate(places):
        for at in (start, start + 30, (start + end) // 2, end - 1):
            bad = bytearray(good)
            bad[at] ^= 16
            path.write_bytes(bad)
            assert f"damaged at byte {start}, in block {height}" in refused(kept.folder, DamagedLog)
    assert DamagedLog.exit_code == Exit.FILE
    rows = kept.folder.with_name("rows")
    (kept.folder / "state").rename(rows)
    path.write_bytes(bytes(bad))
    refused(kept.folder, DamagedLog)
    rows.rename(kept.folder / "state")
    path.write_bytes(good)
    goes_on(kept)


def test_whole_blocks_whose_rows_are_not_those_of_their_header_are_refused(
    kept: Kept, tmp_path: Path
) -> None:
    """
    Given a log that was written anew, checksums and all, with one balance changed in a row,
    when it is opened,
    then the root in the signed header does not fit, and it is refused as damaged.
    """
    forged = tmp_path / "forged"
    shutil.copytree(kept.folder / "keys", forged / "keys")
    place = Folder(kept.folder)
    Folder(forged).lay_out(place.genesis())
    with (
        Store.open(kept.folder, kept.head.chain) as source,
        Store.open(forged, kept.head.chain) as target,
    ):
        for height in range(kept.head.height + 1):
            record = source.block(height)
            rows = tuple(
                (at, None if value is None else value.replace(b'"6.00"', b'"7.00"'))
                for at, value in record.rows
            )
            assert (rows != record.rows) == (height == kept.head.height)
            target.append(replace(record, rows=rows))
    for passphrase in (None, PASSPHRASE):
        with pytest.raises(
            DamagedLog, match=f"up to block {kept.head.height} do not have the root"
        ):
            open_chain(forged, passphrase=passphrase)


def test_a_torn_end_that_nobody_was_told_of_is_cut(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a log behind whose last block stands the beginning of another, as a power cut leaves it,
    when the chain is opened,
    then the rest is cut with a warning, and the chain goes on with every block it had.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    path = kept.folder / "log" / "00000000.log"
    good = path.read_bytes()
    start, end = frames_of(path)[-1]
    path.write_bytes(good + good[start : (start + end) // 2])
    goes_on(kept)
    assert path.read_bytes().startswith(good)
    (said,) = caplog.messages
    assert f"never acknowledged: cut at byte {len(good)}" in said


def test_a_copy_of_the_headers_that_is_gone_or_cut_is_completed(kept: Kept) -> None:
    """
    Given a chain whose copy of the headers is gone, cut or noise,
    when it is opened to read,
    then the copy is what it was.
    """
    path = kept.folder / "headers"
    good = path.read_bytes()
    for bad in (None, b"", good[:10], good[:-1], good[: len(good) // 2], bytes(len(good))):
        path.unlink()
        if bad is not None:
            path.write_bytes(bad)
        with open_chain(kept.folder) as chain:
            assert rows_of(kept, chain) == whole(kept)
        assert path.read_bytes() == good
