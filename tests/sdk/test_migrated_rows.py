"""Rows of an earlier version on a disk: what new code reads, lists, proves and takes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from tests.kernel.shelf_one import shelf as one
from tests.kernel.shelf_two import shelf as two
from tests.kernel.shelf_two.shelf.rules import Book, books, by_rank
from tests.sdk import migrated_importer
from tongbao.engines.solo import Producer, SoloEngine
from tongbao.engines.solo.header import read_header
from tongbao.kernel import Count, Id, Machine, Message, PublicKey, Registry, Small, Time
from tongbao.kernel.block import Block
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.kernel.trie_proof import verify_absence, verify_inclusion
from tongbao.modules import upgrade
from tongbao.sdk.audit import Auditor, silent
from tongbao.sdk.believed import believed_of
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.choosing import code_of
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import module_lines
from tongbao.sdk.light_rows import Asked, Listing, Proven
from tongbao.sdk.local import Chain
from tongbao.store.store import Store
from tongbao.testing import alice, named_key
from tongbao.testing.checks import check_indexes, rows_of
from tongbao.testing.genesis import GENESIS_TIME, genesis_of, registry_with

OLD, NEW = registry_with(one.module), registry_with(two.module)
GENESIS = genesis_of(OLD)
AUTHORITY = named_key("authority")
SHELF: ModuleLine = next(line for line in module_lines(NEW) if line.name == "shelf")
BEGINS = 5


class Desk:
    """A chain in a folder, open with some code."""

    def __init__(self, folder: Path, registry: Registry, nonce: int) -> None:
        """Open it as a node does, on its rows as the disk has them."""
        self.store = Store.open(folder, chain=chain_id(GENESIS), tables=tuple(registry.tables))
        last = self.store.last
        at = (-1, 0) if last is None else (last.height, last.time)
        self.machine = Machine(registry, GENESIS, self.store, *at, code=code_of(registry))
        self.producer = Producer(self.machine, self.store, AUTHORITY)
        self.nonce = nonce
        if last is None:
            self.producer.begin()

    def signed(self, *messages: Message) -> bytes:
        """The next transaction of alice's, which the authority signs too where it has to."""
        time = Time(self.machine.time + 60_000)
        payload = payload_bytes(self.machine.chain, alice, self.nonce, time, messages)
        asked = {key.public for message in messages for key in message.also_signed_by()}
        also = [AUTHORITY] if AUTHORITY.key_id in asked else []
        return sign(payload, [named_key("alice"), *also])

    def make(self, *messages: Message) -> Id | None:
        """Make a durable block of one transaction; what it made."""
        wires = (self.signed(*messages),) if messages else ()
        made = self.producer.make(wires, self.machine.time + 1_000, even_empty=True)
        assert made is not None
        assert [result.number for result in made.decided.results] == [0] * len(wires)
        self.nonce += len(wires)
        receipts = made.decided.results
        ids = self.machine.registry.receipt_decoder.decode(receipts[0].receipt).ids if wires else ()
        return ids[0] if ids else None

    def audit(self) -> tuple[str, ...]:
        """What the audit of the folder finds."""
        self.producer.maintain(idle=True)
        return Auditor(GENESIS, self.producer, self.store, silent).run().findings

    def chain(self) -> Chain:
        """The chain as clients read it."""
        return Chain(SoloEngine(self.producer, clock=lambda: GENESIS_TIME), self.store, GENESIS)


@contextmanager
def opened(folder: Path, registry: Registry, nonce: int) -> Iterator[Desk]:
    """The folder, open until the `with` statement ends."""
    desk = Desk(folder, registry, nonce)
    try:
        yield desk
    finally:
        desk.store.close()


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Path, list[Id]]:
    """A folder at block 4 whose three books of rank 5 the next code, valid from block 5, levels."""
    with opened(tmp_path, OLD, 1) as desk:
        made = [desk.make(one.Put(rank=Small(5))) for _ in range(3)]
        message = upgrade.Schedule(
            authority=PublicKey(AUTHORITY.key_id), height=Count(BEGINS), modules=(SHELF,)
        )
        desk.make(message)
        assert desk.audit() == ()
    return tmp_path, [book for book in made if book is not None]


def listed(chain: Chain, level: int) -> list[tuple[Id, Book]]:
    """What a query lists."""
    return list(chain.query(two.ranked, Small(level)).rows)


def at_home(chain: Chain, level: int, full_keys: tuple[bytes, ...]) -> list[tuple[Id, Book]]:
    """What the same query lists where every row is proven, and nothing else is known."""
    header = read_header(chain.block(chain.head().height).header)[0]
    page = chain.query(two.ranked, Small(level))
    proven = Proven(NEW)
    proofs = [(key, chain.prove_row("shelf.books", books.key_of(key))) for key in full_keys]
    for key, proof in proofs:
        path, raw = sha256(key).digest(), bytes(proof.value)
        root = bytes.fromhex(header.state)
        if raw:
            assert verify_inclusion(root, path, sha256(raw).digest(), proof.proof)
        else:
            assert verify_absence(root, path, proof.proof)
    proven.take(believed_of(header), proofs)
    proven.listing = Listing(header.height, by_rank.prefix, page, full_keys)
    asked = Asked(two.ranked, (Small(level),), {}, "", (), ())
    return list(proven.run(two.module, asked).rows)


def test_new_code_reads_lists_proves_and_audits_rows_of_both_versions(
    shelf: tuple[Path, list[Id]],
) -> None:
    """
    Given a folder with three rows of version 1,
    when code with version 2 opens it, adds a row, removes one, and opens it again,
    then before and after each row is listed once and where the new version belongs, at home from
    proofs too; untouched rows keep their bytes; and the audit finds nothing at any time.
    """
    folder, made = shelf
    keys = tuple(map(books.full_key, made))
    with opened(folder, NEW, 5) as desk:
        assert desk.audit() == ()
        chain = desk.chain()
        before = sorted((book, Book(level=Small(50))) for book in made)
        assert (listed(chain, 50), listed(chain, 5)) == (before, [])
        assert at_home(chain, 50, keys) == before
        old = desk.machine.row(books, made[1])
        assert old is not None and b'"@version":1' in old

        added = desk.make(two.Put(rank=Small(5)))
        desk.make(two.Take(book=made[0]))
        assert added is not None
        after = sorted((book, Book(level=Small(50))) for book in (*made[1:], added))
        assert listed(chain, 50) == after
        assert at_home(chain, 50, (*keys, books.full_key(added))) == after
        assert desk.machine.row(books, made[1]) == old
        check_indexes(desk.machine, rows_of(desk.machine))
        assert desk.audit() == ()
    with opened(folder, NEW, 7) as again:
        assert listed(again.chain(), 50) == after
        assert again.audit() == ()


def test_a_row_that_migrated_is_taken_back_byte_for_byte(shelf: tuple[Path, list[Id]]) -> None:
    """
    Given the same folder,
    when a block that removes a row of version 1 is discarded, and then committed,
    then after the first the row, its place and the root are as before, and after the second the
    row of the height before is proven with the bytes of version 1.
    """
    folder, made = shelf
    with opened(folder, NEW, 5) as desk:
        machine, book = desk.machine, made[0]
        root, raw = machine.state_root, machine.row(books, book)
        assert raw is not None
        wire = desk.signed(two.Take(book=book))
        machine.apply(
            Block(
                height=Count(machine.height + 1),
                time=Time(machine.time + 1_000),
                transactions=(wire,),
            )
        )
        assert machine.state_root != root
        machine.discard()
        assert (machine.state_root, machine.row(books, book)) == (root, raw)
        check_indexes(machine, rows_of(machine))

        desk.make(two.Take(book=book))
        assert machine.row(books, book) is None
        assert machine.row(books, book, height=BEGINS - 1) == raw
        path = sha256(books.full_key(book)).digest()
        proof = machine.prove(books, book, height=BEGINS - 1)
        assert verify_inclusion(root, path, sha256(raw).digest(), proof)


def test_a_snapshot_is_imported_with_the_entries_of_the_code_of_the_next_block(
    shelf: tuple[Path, list[Id]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Given a folder with three rows of version 1, whose next block is decided by version 2,
    when a snapshot of it is taken and imported where version 2 is installed,
    then the entries are those of version 2, not the snapshot's, and the audit finds nothing.
    """
    folder, _ = shelf
    Folder(folder).lay_out(GENESIS)
    installed = {"TONGBAO_MODULES": str(Path(two.__file__).parent)}
    place = str(tmp_path_factory.mktemp("place"))
    ended = subprocess.run(
        [sys.executable, str(migrated_importer.__file__), str(folder), place],
        env=os.environ | installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [False, []]
